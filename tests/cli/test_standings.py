"""How every feed of a folder stands in the morning: which succeeded, were held, are stale, failed or did not run."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.ledger import FeedKey, Holder, Run
from flows.errors import SettingsError
from flows.reports.status import summary_end, summary_row
from flows.result import DONE, FAILED, HELD, REFUSED
from flows.status import FeedStatus, Night, NightState, feed_states, state_in_words
from tests.rosters import district, drop, without
from tests.running import roster

SCHEDULED = '[schedule]\ncron = "0 2 * * *"\n'
NIGHTS = timedelta(days=2)


class Feeds:
    """A folder of feed files, and one state."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder / "feeds", folder / "state"
        self.folder.mkdir()

    def add(self, name: str, above: str = "", below: str = "") -> Path:
        """Write a feed file and its drop, into a sandbox of its own ids."""
        drop(self.folder / name, district())
        file = self.folder / f"{name}.toml"
        file.write_text(
            f'district = "{name}"\ndrop = "{name}"\n{above}[target]\nurl = "sandbox"\n{below}'
        )
        return file

    def sync(self, name: str) -> int:
        """Load a feed as its night does."""
        return roster("sync", self.folder / f"{name}.toml", state=self.state).code

    def stand(self, later: timedelta = timedelta()) -> dict[str, str]:
        """How each feed stands, now or later."""
        return {
            one.feed: one.word
            for one in feed_states(self.folder, self.state, {}, datetime.now(UTC) + later)
        }


@pytest.fixture
def feeds(tmp_path: Path) -> Feeds:
    """A folder without feeds yet."""
    return Feeds(tmp_path)


def test_each_feed_stands_as_its_last_night_ended(feeds: Feeds) -> None:
    """One is held, one refused, one has a setting that cannot be meant."""
    for name in ("held", "bad"):
        feeds.add(name)
    feeds.sync("held")
    drop(feeds.folder / "held", without(district(), "e1"))
    (feeds.folder / "bad" / "users.csv").write_bytes(b"")
    codes = [feeds.sync("held"), feeds.sync("bad")]
    (feeds.folder / "typo.toml").write_text('distric = "typo"\n')

    assert ([3, 4], {"typo": "failed", "bad": "failed", "held": "held"}) == (codes, feeds.stand())


def test_a_night_that_was_due_and_never_came_is_told(feeds: Feeds) -> None:
    """A paused schedule misses nothing, and a feed without one is loaded when somebody wants it."""
    feeds.add("nightly", below=SCHEDULED)
    feeds.add("paused", below=f"{SCHEDULED}paused = true\n")
    feeds.add("by-hand")
    for name in ("nightly", "paused", "by-hand"):
        feeds.sync(name)

    assert {"succeeded"} == set(feeds.stand().values())
    assert {"nightly": "did not run", "paused": "succeeded", "by-hand": "succeeded"} == feeds.stand(
        NIGHTS
    )


def test_a_feed_that_has_never_run_did_not_run(feeds: Feeds) -> None:
    """If it has a schedule, and was due: whoever added it forgot to deploy it. One without is loaded when somebody wants it."""
    feeds.add("new", below=SCHEDULED)
    feeds.add("by-hand")

    assert {"new": "not due yet", "by-hand": "not due"} == feeds.stand()
    assert {"new": "did not run", "by-hand": "not due"} == feeds.stand(NIGHTS)


DUE = datetime(2026, 11, 24, 2, tzinfo=UTC)
KEY = FeedKey("sandbox", "larkspur")


def run_at(hours: float, status: str = "done", code: int | None = DONE) -> Run:
    """A run that began so many hours after the feed was due; without a code, it was killed."""
    started = DUE + timedelta(hours=hours)
    run = Run("r1", KEY, "sync", started, counts={"users": {"held": 1}})
    return replace(run, ended=started, status=status, exit_code=code) if code is not None else run


def night(state: NightState, due: datetime = DUE, started: float | None = None) -> Night:
    """What Prefect says of a night, which began so many hours after the feed was due."""
    began = None if started is None else DUE + timedelta(hours=started)
    return Night(DUE - timedelta(days=9), due, state, began)


LAST_NIGHT = [run_at(-24)]
TONIGHT = [run_at(0.1), *LAST_NIGHT]
BEFORE, AFTER = DUE - timedelta(hours=1), DUE + timedelta(hours=1)
KILLED = Holder("r1", 7, "here", "2026-11-24T02:06:00")


@pytest.mark.parametrize(
    ("runs", "says", "hours", "word"),
    [
        # What the ledger has of tonight counts, whatever the scheduler says.
        (TONIGHT, None, 4, "succeeded"),
        (TONIGHT, night("crashed"), 4, "succeeded"),
        ([run_at(0.1, "held", HELD)], None, 4, "held"),
        ([run_at(0.1, "refused", REFUSED)], night("failed"), 4, "failed"),
        ([run_at(0.1, "", None), *LAST_NIGHT], None, 0.2, "crashed"),
        # Last night succeeded, and tonight has left no trace in the ledger.
        (LAST_NIGHT, None, 0.1, "succeeded"),
        (LAST_NIGHT, None, 1, "pending"),
        (LAST_NIGHT, None, 3, "did not run"),
        (LAST_NIGHT, night("pending"), 1, "pending"),
        (LAST_NIGHT, night("pending"), 3, "did not run"),
        (LAST_NIGHT, night("crashed"), 0.1, "crashed"),
        (LAST_NIGHT, night("failed"), 0.1, "failed"),
        (LAST_NIGHT, night("ended"), 0.1, "did not run"),
        (LAST_NIGHT, night("running", started=0.1), 0.2, "running"),
        (LAST_NIGHT, night("running", started=0.1), 1, "crashed"),
        (LAST_NIGHT, night("crashed", due=DUE - timedelta(days=1)), 1, "pending"),
        # A bad night before is not hidden by one that is to come.
        ([run_at(-24, "failed", FAILED)], night("pending"), 1, "failed"),
        ([run_at(-24, "held", HELD)], night("pending"), 1, "held"),
        # Nor is the night before, if it has left no trace either.
        ([run_at(-48)], night("pending"), 1, "did not run"),
        ([run_at(-48)], night("crashed"), 1, "crashed"),
        # A feed that has never run.
        ([], None, 1, "pending"),
        ([], None, 3, "did not run"),
        ([], night("crashed"), 1, "crashed"),
    ],
)
def test_no_state_looks_better_than_what_happened(
    runs: list[Run], says: Night | None, hours: float, word: str
) -> None:
    """By the runs of the ledger, what Prefect says, and how long ago the feed was due."""
    status = FeedStatus(KEY, tuple(runs), None, (), "")
    now, overdue = DUE + timedelta(hours=hours), DUE if hours > 2 else DUE - timedelta(days=1)

    known_since = None if runs else BEFORE

    assert word == state_in_words(status, DUE, overdue, now, says, known_since=known_since)[0]


@pytest.mark.parametrize(
    ("runs", "holder", "due", "known", "paused", "word"),
    [
        ([run_at(0.1, "", None)], KILLED, DUE, BEFORE, False, "running"),
        ([], None, DUE, AFTER, False, "not due yet"),
        ([], None, DUE, BEFORE, False, "did not run"),
        ([], None, None, AFTER, True, "paused"),
        ([], None, None, AFTER, False, "not due"),
        (LAST_NIGHT, None, None, AFTER, False, "succeeded"),
        (LAST_NIGHT, None, DUE, AFTER, False, "succeeded"),
    ],
)
def test_a_feed_that_was_not_due_missed_nothing(
    runs: list[Run],
    holder: Holder | None,
    due: datetime | None,
    known: datetime,
    paused: bool,
    word: str,
) -> None:
    """Since it is new, paused or without a schedule; and a run that is under way is no crash."""
    status = FeedStatus(KEY, tuple(runs), holder, (), "")
    now = DUE + timedelta(hours=5)

    assert word == state_in_words(status, due, due, now, known_since=known, paused=paused)[0]


def test_a_run_before_the_feed_was_deployed_again_counts() -> None:
    """The scheduler knew the feed by then, whatever it says of the deployment."""
    status = FeedStatus(KEY, tuple(LAST_NIGHT), None, (), "")
    now = DUE + timedelta(hours=5)

    assert (
        "crashed" == state_in_words(status, DUE, DUE, now, night("crashed"), known_since=AFTER)[0]
    )


def test_a_drop_that_stopped_coming_is_stale(feeds: Feeds) -> None:
    """Its nights run, and nothing changes any more."""
    feeds.add("still", above='max_age = "36h"\n')
    feeds.sync("still")

    assert ({"still": "succeeded"}, {"still": "stale"}) == (feeds.stand(), feeds.stand(NIGHTS))


def test_the_summary_is_as_bad_as_the_worst_feed(feeds: Feeds) -> None:
    """It ends as Completed, Held or Failed, and names in a sentence what is to be seen to."""
    rows: list[dict[str, Any]] = []

    def end(*names: str) -> tuple[str, str]:
        for name in names:
            feeds.sync(name)
        found = feed_states(feeds.folder, feeds.state, {}, datetime.now(UTC))
        rows[:] = [summary_row(one) for one in found]
        end = summary_end(found)
        return end.name, end.message

    feeds.add("well")
    first = end("well")
    drop(feeds.folder / "well", without(district(), "e1"))
    second = end("well")
    new = feeds.add("new", below=SCHEDULED)
    os.utime(new, (0, 0))  # it is not that new
    third = end()

    assert [
        ("Completed", "1 succeeded."),
        ("Held", "1 held."),
        ("Failed", "1 did not run, 1 held. See to: new."),
    ] == [
        first,
        second,
        third,
    ]
    assert ["new", "well"] == [row["feed"] for row in rows]


def test_a_folder_without_feeds_is_not_summed_up(feeds: Feeds) -> None:
    """The wrong folder would else look like a district in which all is well."""
    with pytest.raises(SettingsError, match="has no feed file"):
        feed_states(feeds.folder, feeds.state, {}, datetime.now(UTC))
