"""One district's API feeds the target of another: night after night, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox
from tests.learning import learning
from tests.rest.feeds import CHANGES, DELTA, EVERYTHING, Feed
from tests.rosters import district, drop
from tests.serving import Served


@dataclass(frozen=True)
class Districts:
    """The API that is read, and the feed from it."""

    source: Served
    feed: Feed

    def configure(self, settings: str) -> None:
        """Write the feed file."""
        sandbox = self.source.sandbox
        self.feed.configure(
            f'url = "{sandbox.url}"', f'token_url = "{sandbox.token_url}"', settings
        )


@contextmanager
def districts(folder: Path, settings: str = "") -> Iterator[Districts]:
    """Serve a source with a district in it, and a target without anything."""
    with ExitStack() as stack:
        source = Served(stack.enter_context(Sandbox(None)), folder / "source")
        target = stack.enter_context(Sandbox(None))
        assert source.roster("sync", drop(folder / "drop", district())).code == 0
        both = Districts(source, Feed(folder, target))
        both.configure(settings)
        yield both


def test_one_api_feeds_another(tmp_path: Path) -> None:
    """Everybody arrives, and on the next night nothing is sent."""
    with districts(tmp_path) as both:
        first, again = both.feed.run("sync"), both.feed.run("sync")

        assert (0, "done", 0) == (first.code, first.json["status"], first.total("rejected"))
        assert "unchanged" == again.json["status"]
        wanted = ("orgs", "academicSessions", "users", "courses", "classes", "enrollments")
        assert {name: sorted(row["sourcedId"] for row in district()[name]) for name in wanted} == {
            name: both.feed.holds(name) for name in wanted
        }


def test_only_changes_are_asked_for_after_the_first_night(tmp_path: Path) -> None:
    """Somebody has another name, and one enrollment is over; records that are not listed stay."""
    with districts(tmp_path, DELTA) as both:
        first = both.feed.run("sync")
        both.source.change("users", "ana", familyName="Vega")
        both.source.change("enrollments", "e2", status="tobedeleted")
        both.source.lose("enrollments", "e1")

        second, third = both.feed.run("sync"), both.feed.run("sync")

        assert [0, 0, 0] == [first.code, second.code, third.code]
        assert "Vega" == both.feed.record("users", "ana")["familyName"]
        assert ["e1", "e3"] == both.feed.holds("enrollments")
        assert [EVERYTHING, CHANGES, CHANGES] == both.feed.asked
        assert [1, 1, 0] == [
            second.total("updated"),
            second.total("deleted"),
            third.total("updated"),
        ]


def test_everything_is_read_again_when_the_feeds_file_changes(tmp_path: Path) -> None:
    """What the file now lets in has not changed at the source."""
    with districts(tmp_path, DELTA) as both:
        both.feed.run("sync")
        both.source.lose("enrollments", "e1")
        both.configure(DELTA)

        both.feed.run("sync")

        assert ["e2", "e3"] == both.feed.holds("enrollments")
        assert [EVERYTHING, EVERYTHING] == both.feed.asked


def test_a_roster_that_was_brought_back_is_not_left_by_a_delta(tmp_path: Path) -> None:
    """The source tells nothing of what was restored."""
    with districts(tmp_path, DELTA) as both:
        run = both.feed.run("sync").json["run"]
        both.source.change("users", "ana", familyName="Vega")
        both.feed.run("sync")

        both.feed.run("restore", run)
        restored = both.feed.record("users", "ana")["familyName"]
        both.feed.run("sync")

        assert ["Diaz", "Vega"] == [restored, both.feed.record("users", "ana")["familyName"]]


def test_a_plan_asks_as_the_sync_would(tmp_path: Path) -> None:
    """It reads changes, sends nothing, and is no reading on which later ones build."""
    with districts(tmp_path, DELTA) as both:
        both.feed.run("sync")
        both.source.change("users", "ana", familyName="Vega")

        plan, check = both.feed.run("plan"), both.feed.run("check")

        assert [0, 1, 0] == [plan.code, plan.total("updated"), check.code]
        assert [EVERYTHING] == both.feed.asked


def test_learning_content_and_grades_come_along(tmp_path: Path) -> None:
    """Where the source has them: as many records, in as many collections, as it holds."""
    with districts(tmp_path, f"collections = {list(TIMEBACK.collections)}") as both:
        assert (
            both.source.roster("sync", drop(tmp_path / "learning", district() | learning())).code
            == 0
        )

        run = both.feed.run("sync")

        assert (0, 0) == (run.code, run.total("rejected"))
        held = {name: sorted(both.source.sandbox.store.ids(name)) for name in TIMEBACK.collections}
        assert held == {name: both.feed.holds(name) for name in TIMEBACK.collections}
