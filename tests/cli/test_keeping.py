"""What is over is deleted at the end of a sync, and nothing of other feeds, of what waits, or of the run itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.ledger import FeedKey, Ledger, Plan, Run
from connectors.roster_archive import Archive
from tests.rosters import changed, district, drop
from tests.running import roster
from transforms.guard import PLANNED_COLUMNS

FEED = 'drop = "drop"\ndistrict = "larkspur"\n[target]\nurl = "sandbox"\n[keep]\n{keep}\n'
KEY, OTHER = FeedKey("sandbox", "larkspur"), FeedKey("sandbox", "other")
NOW = datetime.now(UTC)
RECORDS = pl.DataFrame(
    [("users", "x", "keep", None, 1, "active", None, None, "vanished")],
    schema=PLANNED_COLUMNS,
    orient="row",
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of a feed that keeps two rosters, and what else runs leave for ten days."""
    (tmp_path / "larkspur.toml").write_text(
        FEED.format(keep="rosters = 2\nrun_days = 10\nclosed_plan_days = 10")
    )
    return tmp_path / "state"


def sync(state: Path, **cells: str) -> str:
    """Load the district; give the run."""
    drop(state.parent / "drop", changed(district(), "bo", **cells))
    return str(roster("sync", state.parent / "larkspur.toml", "--json", state=state).json["run"])


def earlier(state: Path, name: str, days: int, key: FeedKey = KEY) -> Path:
    """Leave a run behind, and give its folder."""
    folder = state / "runs" / name
    folder.mkdir(parents=True)
    (folder / "report.md").write_text("a report")
    with Ledger(state / "ledger.db") as ledger:
        ledger.begin(
            Run(
                name,
                key,
                "sync",
                NOW - timedelta(days=days),
                ended=NOW - timedelta(days=days),
                status="done",
            )
        )
    return folder


def plan(run: str, made: datetime) -> Plan:
    """The plan of a run."""
    return Plan(f"plan-{run}", KEY, run, made, NOW + timedelta(days=9))


def test_folders_of_old_runs_are_deleted(state: Path) -> None:
    """Of this feed alone: those that the ledger does not know, or knows as another's, stay."""
    old, young = earlier(state, "old", 11), earlier(state, "young", 9)
    others, unknown = earlier(state, "others", 11, OTHER), state / "runs" / "unknown"
    unknown.mkdir()

    run = sync(state)

    there = [one.exists() for one in (old, young, others, unknown, state / "runs" / run)]
    assert [False, True, True, True, True] == there


def test_what_a_waiting_plan_needs_stays(state: Path) -> None:
    """Its run's folder says what waits; a plan that was decided on needs nothing."""
    waits, decided = earlier(state, "waits", 20), earlier(state, "decided", 20)
    with Ledger(state / "ledger.db") as ledger:
        ledger.propose(plan("decided", NOW - timedelta(days=20)), RECORDS)
        ledger.decide("plan-decided", "discarded", by="kim", note="", at=NOW - timedelta(days=20))
        ledger.propose(plan("waits", NOW), RECORDS)
        ledger.decide("plan-waits", "approved", by="kim", note="", at=NOW)

        (state.parent / "drop").mkdir()
        roster(
            "sync", state.parent / "larkspur.toml", state=state
        )  # an empty drop is refused, and decides on no plan

        assert (True, False) == (waits.exists(), decided.exists())
        assert (1, 0) == tuple(
            ledger.planned(f"plan-{name}").height for name in ("waits", "decided")
        )


def test_so_many_rosters_are_kept(state: Path) -> None:
    """The last ones, to go back to."""
    runs = [sync(state, givenName=name) for name in ("Bo", "Bob", "Robert")]

    assert runs[1:] == Archive(state / "rosters", KEY).runs()
