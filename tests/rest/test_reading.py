"""A collection of a source is read to its end, or counts as not read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from connectors.oneroster.client import Client
from connectors.oneroster.profile import standard_profile
from connectors.oneroster.read import RecordsMoved
from connectors.oneroster.source import UnreadCollection, read_one, read_pages
from connectors.oneroster.target import Endpoint
from tests.oneroster.districts import QUICK

ROWS = [{"sourcedId": str(number)} for number in range(5)]
Handler = Callable[[httpx.Request], httpx.Response]


def read(handler: Handler, condition: str = "") -> list[str]:
    """Give the ids that are read of users from a stand-in for the source."""

    async def run() -> list[str]:
        transport = httpx.MockTransport(handler)
        async with Client(
            Endpoint(
                "https://sis.example.edu",
                access_token="t",
                patience=QUICK,
                profile=standard_profile("1.2"),
            ),
            transport,
        ) as client:
            return [
                record["sourcedId"]
                async for page in read_pages(client, "/users", "users", condition)
                for record in page
            ]

    return asyncio.run(run())


def serve(
    request: httpx.Request, headers: dict[str, str] | None = None, size: int = 2
) -> httpx.Response:
    """Answer a page of at most so many rows, whatever was asked for."""
    offset = int(request.url.params["offset"])
    return httpx.Response(200, json={"users": ROWS[offset : offset + size]}, headers=headers)


def linked(request: httpx.Request) -> httpx.Response:
    """Answer a page that says whether another one follows."""
    more = int(request.url.params["offset"]) + 2 < len(ROWS)
    return serve(
        request, {"Link": f'<https://sis.example.edu/x>; rel="{"next" if more else "first"}"'}
    )


def counted(request: httpx.Request) -> httpx.Response:
    """Answer a page that counts only itself."""
    page = serve(request)
    return serve(request, {"X-Total-Count": str(len(page.json()["users"]))})


@pytest.mark.parametrize(
    "handler", [serve, linked, counted, lambda request: serve(request, {"X-Total-Count": "5"})]
)
def test_short_pages_lose_nothing(handler: Handler) -> None:
    """Whatever the answer says about the other pages, and if it says nothing."""
    assert read(handler) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("status", [400, 422])
def test_a_source_that_cannot_sort_is_read_as_it_comes(status: int) -> None:
    """It says that the request is wrong, or its query."""
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("filter", ""))
        return (
            httpx.Response(status)
            if "sort" in request.url.params
            else serve(request, {"X-Total-Count": "5"}, 9)
        )

    assert len(read(handler, "dateLastModified>'2026-11-24T00:00:00.000Z'")) == 5
    assert asked == ["dateLastModified>'2026-11-24T00:00:00.000Z'"] * 3


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (lambda request: httpx.Response(200, json={"users": ROWS[:2]}), "its pages repeat"),
        (lambda request: serve(request, {"X-Total-Count": "9"}), "after 5 of 9"),
        (
            lambda request: serve(
                request, {"X-Total-Count": str(9 + int(request.url.params["offset"]))}
            ),
            "after 5 of 14",
        ),
        (
            lambda request: httpx.Response(403, json={"imsx_description": "no scope"}),
            "HTTP 403: no scope",
        ),
        (lambda request: httpx.Response(200, json={"orgs": []}), "no list of users"),
    ],
)
def test_what_moves_or_is_refused_is_not_read(handler: Handler, why: str) -> None:
    """Half a collection must not look like a whole one."""
    with pytest.raises((RecordsMoved, UnreadCollection), match=why):
        read(handler)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (httpx.Response(200, json={"user": ROWS[0]}), ROWS[0]),
        (httpx.Response(404, json={"imsx_codeMajor": "failure"}), None),
        # Not every source gives single records; the collection was read to its end.
        (httpx.Response(405), None),
    ],
)
def test_a_single_record_is_there_or_not(answer: httpx.Response, found: object) -> None:
    """By the address of its own."""
    assert found == one(
        lambda request: answer if request.url.raw_path == b"/users/a%2Fb" else httpx.Response(418),
        "a/b",
    )


def test_a_source_that_does_not_say_whether_it_has_a_record_is_not_read() -> None:
    """It may be there still."""
    with pytest.raises(UnreadCollection, match="does not say whether it has 7: HTTP 503"):
        one(lambda request: httpx.Response(503, json={}), "7")


def one(handler: Handler, sourced_id: str) -> object:
    """Ask a stand-in for the source for one user."""

    async def run() -> object:
        transport = httpx.MockTransport(handler)
        async with Client(
            Endpoint(
                "https://sis.example.edu",
                access_token="t",
                patience=QUICK,
                profile=standard_profile("1.2"),
            ),
            transport,
        ) as client:
            return await read_one(client, "/users/", "user", sourced_id)

    return asyncio.run(run())
