"""From when on changes are asked for, by the runs before; whatever is doubtful is read whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.ledger import FeedKey
from connectors.ledger.history import Run
from flows.rest_source import RestSource, limit_to_changes

KEY = FeedKey("sandbox", "juniper")
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WHOLE, CHANGES = "sis.example.edu/api", "sis.example.edu/api, changes since 2026-11-20 01:00 UTC"


def source(*, delta: bool = True, changed: datetime = NOW - 90 * DAY) -> RestSource:
    """Give a source that is asked for changes, and was written down long ago."""
    address = "https://sis.example.edu/api"
    return RestSource(
        url=address,
        version="1.2",
        collections=("users",),
        zone=ZoneInfo("UTC"),
        changed=changed,
        delta=delta,
    )


def night(
    days: int, drop: str = WHOLE, status: str = "done", *, approved: str = "", note: str = ""
) -> Run:
    """Give a run of so many days ago."""
    return Run(
        f"r{days}",
        KEY,
        "sync",
        NOW - days * DAY,
        drop=drop,
        status=status,
        approved=approved,
        note=note,
    )


def asked(*runs: Run, of: RestSource | None = None) -> datetime | None:
    """From when on changes are asked for after some runs, the newest first."""
    return limit_to_changes(of or source(), runs, NOW).since


def test_changes_are_asked_for_since_the_last_run_that_sent_all() -> None:
    """An hour earlier than it began, since clocks differ."""
    last = NOW - timedelta(hours=1)

    assert last - DAY == asked(night(1), night(2))
    assert last - DAY == asked(night(1, CHANGES, "unchanged"), night(3))
    assert last - 2 * DAY == asked(night(1, CHANGES, "held"), night(2, CHANGES), night(3))
    assert last - 2 * DAY == asked(night(1, CHANGES, ""), night(2))


@pytest.mark.parametrize("run", [night(1, approved="p1"), night(1, note="repaired")])
def test_an_approval_and_a_repair_are_no_readings(run: Run) -> None:
    """They send what an earlier run had read."""
    assert NOW - 2 * DAY - timedelta(hours=1) == asked(run, night(2))


@pytest.mark.parametrize(
    "runs",
    [
        (),
        (night(1, status="held"),),
        (night(1, CHANGES),),
        (night(7),),
        (night(1, CHANGES), night(7)),
        (night(1, "roster.zip"), night(2)),
        (night(1, "roster.zip", "held"), night(2)),
        (night(1, note="restored"), night(2)),
        (night(1, "other.example.edu/api"), night(2)),
    ],
)
def test_everything_is_asked_for_where_changes_would_not_do(runs: tuple[Run, ...]) -> None:
    """No reading of everything, none that was sent, one too long ago, or something else in between."""
    assert None is asked(*runs)


def test_everything_is_asked_for_unless_the_feed_says_otherwise() -> None:
    """By a line in its file, which has not changed since."""
    assert None is asked(night(1), of=source(delta=False))
    assert None is asked(night(1), of=source(changed=NOW - timedelta(hours=2)))


def test_what_was_read_is_said_in_place_of_a_drop() -> None:
    """Where it is, and since when; never what signs in."""
    whole, changes = source(), limit_to_changes(source(), [night(1)], NOW)

    assert (WHOLE, "sis.example.edu/api, changes since 2026-11-23 01:00 UTC") == (
        whole.drop_name,
        changes.drop_name,
    )
