"""A collection is read to its end, however its pages fall."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.oneroster.client import Client
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.read import read_pages
from connectors.oneroster.target import Endpoint, TargetError
from tests.oneroster.districts import QUICK


def read(handler: Callable[[httpx.Request], httpx.Response], **wanted: Any) -> list[list[Any]]:
    """Read all pages of users from a stand-in for the target."""

    async def run() -> list[list[Any]]:
        transport = httpx.MockTransport(handler)
        async with Client(
            Endpoint("https://api.example.edu", access_token="t", patience=QUICK, profile=TIMEBACK),
            transport,
        ) as client:
            return [page async for page in read_pages(client, "users", **wanted)]

    return asyncio.run(run())


def page(records: list[Any], total: int) -> httpx.Response:
    """Answer one page."""
    return httpx.Response(200, json={"users": records, "totalCount": total})


def test_short_pages_midway_lose_nothing() -> None:
    """The next page begins with the last record of this one, not a whole page later (section 6)."""
    rows = list(range(7))

    def handler(request: httpx.Request) -> httpx.Response:
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        return page(rows[offset : offset + (limit if offset else 1)], len(rows))

    assert read(handler, limit=3) == [[0], [1, 2, 3], [4, 5], [6]]


def test_an_empty_collection_has_no_pages() -> None:
    """One request tells."""
    assert read(lambda request: page([], 0)) == []


def test_what_is_asked_for_is_asked_in_order() -> None:
    """Rows shift while others write, unless they are sorted."""
    seen: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.url.params))
        return page([], 0)

    read(handler, filter="status='active'", fields="sourcedId", limit=5000)

    assert seen == [
        {
            "limit": "3000",
            "offset": "0",
            "sort": "sourcedId",
            "orderBy": "asc",
            "filter": "status='active'",
            "fields": "sourcedId",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page([], 5), r"was not read completely: it ended after 0 of 5 records. Read it again"),
        (
            httpx.Response(400, json={"imsx_description": "Error in filter query"}),
            r"HTTP 400: Error in filter query",
        ),
        (httpx.Response(200, html="<h1>Welcome"), "HTTP 200: an HTML page"),
        (httpx.Response(200, json={"orgs": [], "totalCount": 0}), "not a page"),
        (httpx.Response(200, json={"users": []}), "not a page"),
    ],
)
def test_what_is_not_a_page_is_an_error(answer: httpx.Response, said: str) -> None:
    """Half a collection must not look like a whole one."""
    with pytest.raises(TargetError, match=rf"api\.example\.edu.*{said}"):
        read(lambda request: answer)


def test_records_are_told_apart_by_their_ids_also_where_nobody_asks_for_them() -> None:
    """Two may say the same otherwise."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params["fields"])
        rows = [{"givenName": "Ana", "sourcedId": one} for one in "abc"]
        return page(rows[int(request.url.params["offset"]) :][:2], len(rows))

    assert [[{"givenName": "Ana"}] * 2, [{"givenName": "Ana"}]] == read(handler, fields="givenName")
    assert {"givenName,sourcedId"} == set(seen)


def test_a_total_in_a_header_or_a_link_tells_of_more() -> None:
    """Though the body counts only what is on the page."""
    rows = list(range(5))

    def counted(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        found = rows[offset : offset + 2]
        link = (
            {"Link": '<https://api.example.edu/next>; rel="next"'} if offset + 2 < len(rows) else {}
        )
        return httpx.Response(200, json={"users": found, "totalCount": len(found)}, headers=link)

    assert rows == [row for records in read(counted) for row in records]


def test_views_can_be_read_by_name() -> None:
    """Every collection, and the views that the API has of them."""
    assert set(TIMEBACK.lists) == {
        *TIMEBACK.collections,
        "students",
        "teachers",
        "schools",
        "terms",
        "gradingPeriods",
    }
