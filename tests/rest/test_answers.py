"""How a source writes its answers makes no difference: their headers and the form of their bytes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.rest.newer import Headers, Newer, feeding


@pytest.fixture(scope="module")
def target() -> Iterator[Sandbox]:
    """Serve one target for all tests of this module."""
    with Sandbox(None) as sandbox:
        yield sandbox


def in_capitals(offset: int, end: int, total: int) -> Headers:
    """Link to the next page in capitals and without quotes, beside a total that is too small."""
    more = [("Link", f"</x?fields=a,b;c&offset={end}>;REL = NEXT")] if end < total else []
    return [("X-Total-Count", str(min(4, total))), ("Link", "</docs>; rel=help"), *more]


def in_one_header(offset: int, end: int, total: int) -> Headers:
    """Link to the next page by one of two relations, after the link of a gateway."""
    next_page = f', </x?offset={end}>; title="a, b; c"; rel="last next"' if end < total else ""
    return [
        ("X-Total-Count", str(min(4, total))),
        ("Link", f'</docs>; rel="service-doc"{next_page}'),
    ]


def of_a_gateway(offset: int, end: int, total: int) -> Headers:
    """Say nothing of pages: a gateway has added a link of its own."""
    return [("Link", '</docs>; rel="sunset"; title="next"')]


def with_six_people(source: Newer) -> None:
    """Let a source have six people, and give two at once."""
    people, source.largest = source.records["users"], 2
    for one in ("cy", "di", "ed"):
        people.append(
            people[0] | {"sourcedId": one, "username": one, "email": f"{one}@example.edu"}
        )


@pytest.mark.parametrize("headers", [in_capitals, in_one_header])
def test_a_link_to_another_page_is_found(headers: Any, tmp_path: Path, target: Sandbox) -> None:
    """The total says that four of six people are all; the link says that it is wrong, so that nobody is left out."""
    with feeding(tmp_path, target) as (source, feed):
        with_six_people(source)
        source.headers = headers

        run = feed.run("sync")

        assert (4, []) == (run.code, feed.holds("users"))
        assert "its pages repeat" in run.said


def test_a_link_of_a_gateway_is_no_end(tmp_path: Path, target: Sandbox) -> None:
    """Nothing says how many people there are; all are read, and on the next night nothing is sent."""
    with feeding(tmp_path, target) as (source, feed):
        with_six_people(source)
        source.headers = of_a_gateway

        first, again, verified = feed.run("sync"), feed.run("sync"), feed.run("verify")

        assert (0, 6, 0) == (first.code, len(feed.holds("users")), verified.code)
        assert ("unchanged", 0) == (again.json["status"], again.total("vanished"))


def test_a_body_of_several_gzip_members_is_read_whole(tmp_path: Path, target: Sandbox) -> None:
    """A gateway has flushed in between; the token comes so too."""

    def pack(text: bytes) -> tuple[bytes, str]:
        return b"".join(gzip.compress(text[at : at + 50]) for at in range(0, len(text), 50)), "gzip"

    with feeding(tmp_path, target) as (source, feed):
        source.pack = pack

        run = feed.run("sync")

        assert (0, ["ana", "bo", "tia"]) == (run.code, feed.holds("users"))
