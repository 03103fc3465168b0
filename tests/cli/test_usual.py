"""Which of a feed's runs tell what is usual for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from connectors.ledger import FeedKey, Run
from flows.notify.causes import unusual_sentences
from flows.result import ADDS_ONLY, RESTORED, STOPPED, RunResult
from transforms.findings import ERRORS, Findings

BEGIN = datetime(2026, 11, 1, 2, tzinfo=UTC)
NIGHT = Run(
    "r0",
    FeedKey("sandbox", "larkspur"),
    "sync",
    BEGIN,
    exit_code=0,
    counts={"users": {"read": 500, "updated": 2}},
)
FIRST = replace(NIGHT, id="first", counts={"users": {"read": 500, "created": 500}})
TONIGHT = RunResult(
    "now", "sync", "larkspur", "sandbox", {"users": {"read": 500, "updated": 90}}, Findings(), pl.DataFrame(schema=ERRORS)
)  # fmt: skip
TOLD = ("90 users updated; usually 2 over the last 5 runs.",)


def runs(*nights: Run) -> list[Run]:
    """Give runs as the ledger does, the newest first: these, night after night, after a first load."""
    dated = [
        replace(run, id=f"r{day}", started=BEGIN + timedelta(days=day))
        for day, run in enumerate(nights, 1)
    ]
    return [*reversed(dated), FIRST]


def test_a_night_far_from_the_nights_before_is_unusual() -> None:
    """Five of them are a history; the first load is none of them."""
    assert TOLD == unusual_sentences(TONIGHT, runs(*[NIGHT] * 5))
    assert () == unusual_sentences(TONIGHT, runs(*[NIGHT] * 4))


@pytest.mark.parametrize(
    "other",
    [
        replace(NIGHT, exit_code=1),
        replace(NIGHT, exit_code=4),
        replace(NIGHT, exit_code=None),
        replace(NIGHT, approved="p1"),
        replace(NIGHT, note=RESTORED),
        replace(NIGHT, note=STOPPED),
        replace(NIGHT, note=ADDS_ONLY),
        replace(NIGHT, counts={"users": {"updated": 90}}),
    ],
)
def test_what_is_no_usual_night_is_left_out(other: Run) -> None:
    """What failed, was refused or is under way, what sent a plan, restored or repaired, and what let little or nothing through."""
    high = replace(other, counts={"users": other.counts["users"] | {"updated": 90}})

    assert () == unusual_sentences(TONIGHT, runs(*[NIGHT] * 4, high))
    assert TOLD == unusual_sentences(TONIGHT, runs(*[NIGHT] * 5, high, high))


def test_the_run_itself_is_none_of_its_history() -> None:
    """The ledger may know of it already."""
    assert TOLD == unusual_sentences(TONIGHT, [replace(NIGHT, id="now"), *runs(*[NIGHT] * 5)])


@pytest.mark.parametrize(
    "tonight",
    [
        replace(TONIGHT, error="down"),
        replace(TONIGHT, restored="r1"),
        replace(TONIGHT, counts={"users": {"updated": 90}}),
    ],
)
def test_a_run_that_judged_no_drop_is_not_compared(tonight: RunResult) -> None:
    """Nor one that broke off."""
    assert () == unusual_sentences(tonight, runs(*[NIGHT] * 9))
