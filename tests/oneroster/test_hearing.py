"""No answer is read that is too large, or nested too deep for us; it is the failure of its request, and is not asked for again."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.oneroster.client import Client
from connectors.oneroster.outcomes import RecordProblem
from connectors.oneroster.probe.run import probe
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.read import read_pages
from connectors.oneroster.response_body import DEEPEST, is_too_deep
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.target import Endpoint, TargetError
from tests.oneroster.districts import ORGS, QUICK, Answered, District, Twisted, opened, org
from tests.oneroster.odd import Met, Reply, odd

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
