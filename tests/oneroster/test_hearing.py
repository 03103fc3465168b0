"""No answer is read that is too large, or nested too deep for us; it is the failure of its request, and is not asked for again."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.client import Client
from connectors.oneroster.outcomes import RecordProblem
from connectors.oneroster.probe.run import probe
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.read import read_pages
from connectors.oneroster.response_body import (
    DECODED_BYTES,
    DEEPEST,
    UnreadableResponse,
    is_too_deep,
    read_body,
)
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.target import Endpoint, TargetError
from tests.oneroster.districts import ORGS, QUICK, Answered, District, Twisted, opened, org
from tests.oneroster.odd import Met, Reply, odd
from tests.strength import expensive

DEEP = f"an answer nested more than {DEEPEST} deep"
LARGE = "an answer of more than 5,000 bytes"


@pytest.fixture
def district(tmp_path: Path, sandbox: Sandbox) -> Iterator[District]:
    """Give a sandbox that holds a district and a school."""
    with opened(sandbox, tmp_path) as district:
        district.load(orgs=ORGS)
        yield district


def nested(levels: int) -> Any:
    """Nest lists in objects, so many of both together."""
    value: Any = "end"
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


@pytest.mark.parametrize(
    ("levels", "is_deep"), [(1, False), (DEEPEST, False), (DEEPEST + 1, True), (150, True)]
)
def test_an_answer_may_be_nested_so_deep(levels: int, is_deep: bool) -> None:
    """One level more is too many."""
    assert is_deep is is_too_deep(json.dumps(nested(levels)).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100,
        json.dumps([{"a": "]["}] * 100).encode(),
        json.dumps(["[" * 200] * 2).encode(),
        b"[{}]" * 99,
    ],
)
def test_brackets_alone_are_not_nested(body: bytes) -> None:
    """Many beside each other, or in texts, or without an end are not nested too deep."""
    assert not is_too_deep(body)


def test_an_answer_that_takes_all_the_room_there_is_is_nested_too_deep() -> None:
    """Whoever reads it may be called from deep inside already."""
    body, room = json.dumps(nested(150)).encode(), sys.getrecursionlimit()

    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        is_deep = is_too_deep(body)
    finally:
        sys.setrecursionlimit(room)

    assert is_deep


class Parts(httpx.AsyncByteStream):
    """A body that arrives in parts."""

    def __init__(self, body: bytes, size: int) -> None:
        self.parts = [body[at : at + size] for at in range(0, len(body), size)]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part


def read(body: bytes, size: int = 16384, most: int = 10**7, encoding: str = "gzip") -> bytes:
    """Read a body that arrives in parts of a size."""
    headers = {"content-encoding": encoding}
    return asyncio.run(
        read_body(httpx.Response(200, headers=headers, stream=Parts(body, size)), most)
    )


@expensive(100, 40)
@given(
    st.lists(st.binary(max_size=40), min_size=1, max_size=4),
    st.sampled_from([b"", b"\0\0\0", b"\x1f", b"\x1f\0\x1f\x8b"]),
    st.integers(1, 60),
)
def test_every_member_of_a_gzip_body_is_read(members: list[bytes], rest: bytes, size: int) -> None:
    """However it is cut into parts; what follows the last member is no part of the body."""
    body = b"".join(map(gzip.compress, members)) + rest

    assert b"".join(members) == read(body, size)


def test_much_of_the_same_is_read_whole() -> None:
    """More than is decoded at once."""
    member = b"x" * (2 * DECODED_BYTES + 1)

    assert 2 * member == read(2 * gzip.compress(member), encoding="X-GZIP")


def test_members_together_may_not_be_too_large() -> None:
    """Each alone would do."""
    with pytest.raises(UnreadableResponse, match="more than 5,000 bytes"):
        read(2 * gzip.compress(b"x" * 3000), most=5000)


def test_what_is_no_gzip_is_not_read() -> None:
    """The answer is lost, as with any other that comes damaged."""
    with pytest.raises(httpx.DecodingError):
        read(b"{}")


def deep(status: int = 200) -> httpx.Response:
    """Answer with a record that is nested too deep."""
    return httpx.Response(
        status,
        json={"org": {"sourcedId": "d", "name": "D", "type": "district", "metadata": nested(80)}},
    )


def large() -> httpx.Response:
    """Answer with a record that is larger than the test allows."""
    return httpx.Response(
        200, json={"org": {"sourcedId": "d", "name": "D" * 6000, "type": "district"}}
    )


def packed() -> httpx.Response:
    """Answer with little that becomes much."""
    body = gzip.compress(json.dumps({"org": {"sourcedId": "d", "name": "D" * 6000}}).encode())
    return httpx.Response(200, content=body, headers={"content-encoding": "gzip"})


@pytest.mark.parametrize(("answer", "why"), [(deep, DEEP), (large, LARGE), (packed, LARGE)])
def test_a_record_that_cannot_be_read_fails_alone(
    district: District, answer: Any, why: str
) -> None:
    """It is asked for once, and the others go on."""
    district.answer_bytes = 5000
    district.twist = lambda request: answer() if str(request.url).endswith("/orgs/d") else None

    loaded = district.load(orgs=[org("d", name="New"), org("s", "d", name="New"), org("t", "d")])

    assert {"orgs": {"failed": 1, "updated": 1, "created": 1}} == loaded.counts
    assert ((RecordProblem("orgs", "d", "failed", why),), None, 0) == (
        loaded.troubles,
        loaded.error,
        loaded.retries,
    )


def test_a_write_whose_answer_cannot_be_read_is_looked_up(district: District) -> None:
    """The target has the records."""
    changes = district.changes(orgs=[org("new"), org("d", name="New")])

    loaded = district.send(changes, Answered(deep))

    assert ({"orgs": {"created": 1, "updated": 1}}, 0) == (loaded.counts, loaded.retries)


@pytest.mark.parametrize(("answer", "why"), [(deep, DEEP), (large, LARGE)])
def test_a_page_that_cannot_be_read_ends_the_reading(
    district: District, answer: Any, why: str
) -> None:
    """Commands that read report it in a sentence: `get`, `verify`, `adopt`."""

    async def run() -> None:
        target = replace(district.target, answer_bytes=5000)
        async with Client(
            target, Twisted(lambda request: answer() if "limit=" in str(request.url) else None)
        ) as client:
            async for _ in read_pages(client, "orgs"):
                pass

    with pytest.raises(TargetError, match=f"does not give rostering/v1p2/orgs/: {why}"):
        asyncio.run(run())


def test_a_probe_bears_answers_that_cannot_be_read() -> None:
    """It tells that nothing could be made, and goes on to the end."""

    def meet(met: Met) -> Reply | None:
        return (
            Reply(201, {"org": nested(80)})
            if met.collection == "orgs" and met.method in ("POST", "GET")
            else None
        )

    with odd(meet) as sandbox:
        target = Endpoint(
            sandbox.url,
            sandbox.token_url,
            "sandbox",
            "sandbox",
            concurrency=1,
            patience=QUICK,
            profile=TIMEBACK,
        )
        found = asyncio.run(probe(target, "test"))

    answers = {fact.collection: fact.answer for fact in found.facts if fact.question == "create"}
    assert ("", "broken", "accepted") == (found.broken, answers["orgs"], answers["resources"])


def test_a_count_of_records_is_no_longer_than_a_count(district: District) -> None:
    """A header of digits without end says nothing."""
    answer = httpx.Response(
        200, json={"orgs": [], "totalCount": 0}, headers={"x-total-count": "9" * 5000}
    )

    async def run() -> list[Any]:
        async with Client(
            district.target,
            Twisted(lambda request: answer if "limit=" in str(request.url) else None),
        ) as client:
            return [page async for page in read_pages(client, "orgs")]

    assert [] == asyncio.run(run())
