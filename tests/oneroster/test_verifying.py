"""Reading a target to compare it: rows that shift between pages, and answers that are none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from pathlib import Path

import httpx
import polars as pl
import pytest

from connectors.oneroster.client import Client
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.reconcile import Verified, expect, verified
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.target import TargetError
from tests.oneroster.districts import KEY, District, Twist, Twisted, opened, org

ORGS = [org("d"), *(org(f"s{number}", "d") for number in range(4))]


@pytest.fixture
def district(tmp_path: Path, sandbox: Sandbox) -> Iterator[District]:
    """Give a sandbox that holds a district and its schools."""
    with opened(sandbox, tmp_path) as place:
        place.load(orgs=ORGS)
        yield place


def compared(district: District, twist: Twist) -> Verified:
    """Compare the organizations, over a network on which things go wrong."""

    async def run() -> Verified:
        async with Client(district.target, Twisted(twist)) as client:
            return await verified(
                client,
                expect(TIMEBACK.collections["orgs"], district.ledger.known(KEY)["orgs"], None),
            )

    return asyncio.run(run())


def page(*records: Mapping[str, object]) -> httpx.Response:
    """Answer with a page that is the last."""
    return httpx.Response(200, content=json.dumps({"orgs": records, "totalCount": len(records)}))


def test_a_row_that_slipped_between_two_pages_is_not_missing(district: District) -> None:
    """It is asked for by itself."""
    before = [{"sourcedId": str(row["sourcedId"]), "status": "active"} for row in ORGS]
    states: Iterator[list[dict[str, str]]] = chain(
        [before], repeat([{"sourcedId": "a", "status": "active"}, *before])
    )

    found = compared(
        district,
        lambda request: _of_three(next(states), request) if "limit=" in str(request.url) else None,
    )

    assert (0, 5, 0) == (found.found.height, found.unchecked, found.others)


def _of_three(rows: list[dict[str, str]], request: httpx.Request) -> httpx.Response:
    offset = int(request.url.params["offset"])
    return httpx.Response(200, json={"orgs": rows[offset : offset + 3], "totalCount": len(rows)})


def test_what_the_target_does_not_answer_for_is_not_called_missing(district: District) -> None:
    """The comparison breaks off with a sentence."""
    broken = httpx.Response(403, content=b'{"message": "no"}')

    with pytest.raises(TargetError, match="does not say whether it holds orgs d"):
        compared(
            district,
            lambda request: (
                page()
                if "limit=" in str(request.url)
                else broken
                if "/orgs/" in str(request.url)
                else None
            ),
        )


def test_an_id_that_no_address_can_hold_is_missing_if_no_page_has_it(district: District) -> None:
    """It cannot be asked for."""
    known = pl.DataFrame({"sourcedId": [".."], "fingerprint": [1], "status": ["active"]})

    async def run() -> Verified:
        async with Client(district.target) as client:
            return await verified(client, expect(TIMEBACK.collections["orgs"], known, None))

    found = asyncio.run(run())

    assert ([("..", "missing", "not there")], 5) == (found.found.rows(), found.others)
