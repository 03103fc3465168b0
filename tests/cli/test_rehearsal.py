"""A dry run of a backfill counts just what the backfill then counts, and leaves nothing behind."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.replaying import FIRST, SECOND, THIRD, Feed, counted
from tests.rosters import district, drop
from tests.running import roster


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    """A feed that was never loaded."""
    return Feed(tmp_path)


def files(folder: Path) -> dict[Path, bytes]:
    """All that lies in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_waits_for_what_is_held_waits_in_a_rehearsal_too(feed: Feed) -> None:
    """All people have other ids on the second day: they are held, and their enrollments wait."""
    other = district()
    for row in [*other["users"], *other["roles"], *other["enrollments"], *other["demographics"]]:
        for column in (
            "userSourcedId",
            "agentSourcedIds",
            *(["sourcedId"] if "givenName" in row or "sex" in row else []),
        ):
            if row.get(column):
                row[column] = f"x-{row[column]}"
    feed.deliver(FIRST, district())
    feed.deliver(SECOND, other)
    told = feed.backfill("--every-step", "--dry-run", end=SECOND)
    done = feed.backfill("--every-step", end=SECOND)

    assert (3, 3) == (told.code, done.code)
    assert 3 == told.json["steps"][1]["entities"]["enrollments"]["waiting"]
    assert counted(done) == counted(told)
    assert done.json["steps"][1]["plan"] == told.json["steps"][1]["plan"]


def test_what_a_delta_could_not_deliver_is_rehearsed_as_well(feed: Feed) -> None:
    """It is in the archive, and goes with the next delta."""
    today = datetime.now().astimezone().date()
    feed.deliver(FIRST, district())
    feed.rename(SECOND, "bo", "Zoe")
    feed.rename(THIRD, "tia", "Mia")
    feed.sync(FIRST)
    feed.sync(SECOND, f'[calendar]\nadds_only = ["{today}"]\n')
    feed.configure()
    told = feed.backfill("--dry-run", start=THIRD)
    done = feed.backfill(start=THIRD)

    assert 2 == told.json["steps"][0]["entities"]["users"]["updated"]
    assert counted(done) == counted(told)


def test_a_rehearsal_reads_the_real_target(feed: Feed) -> None:
    """Content that names what others loaded, of whom this ledger does not know."""
    roster("sync", drop(feed.state.parent / "others", district()), state=feed.state)
    for path in feed.state.glob("ledger.db*"):
        path.unlink()
    feed.file.write_text('external = ["orgs", "academicSessions"]\n' + feed.file.read_text())
    feed.deliver(FIRST, {"courses": district()["courses"]})
    feed.change(FIRST, courses=[row | {"sourcedId": "co2"} for row in district()["courses"]])
    told = feed.backfill("--dry-run", end=FIRST)
    done = feed.backfill(end=FIRST)

    assert 1 == told.json["steps"][0]["entities"]["courses"]["created"], told.said
    assert counted(done) == counted(told)


def test_a_rehearsal_changes_nothing(feed: Feed) -> None:
    """Neither ledger nor archive nor folders of runs, of a feed that has all of them."""
    feed.three_days()
    feed.sync(FIRST)
    before = files(feed.state)
    told = feed.backfill("--every-step", "--dry-run", start=SECOND)
    after = files(feed.state)

    assert [SECOND, THIRD] == [day for day, _, _ in counted(told)]
    assert before.keys() == after.keys()
    assert [] == [
        path
        for path in before
        if before[path] != after[path] and not path.name.startswith("ledger.db-")
    ]


def test_what_a_killed_run_left_is_swept_up(feed: Feed) -> None:
    """A copy of a ledger has names of people in it."""
    left = feed.state / "scratch" / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "ledger.db").touch()
    feed.three_days()
    feed.backfill("--dry-run")

    assert not left.exists()
