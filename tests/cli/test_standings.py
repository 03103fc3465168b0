"""How every feed of a folder stands in the morning: which succeeded, were held, are stale, failed or did not run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.errors import SettingsError
from flows.reports.status import summary_end, summary_row
from flows.status import feed_states
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
    """If it has a schedule: whoever added it forgot to deploy it. One without is loaded when somebody wants it."""
    feeds.add("new", below=SCHEDULED)
    feeds.add("by-hand")

    assert {"new": "did not run", "by-hand": "not due"} == feeds.stand()


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
    feeds.add("new", below=SCHEDULED)
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
