"""One district's API feeds the target of another: night after night, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from tests.rosters import district, drop
from tests.running import Run, roster
from tests.serving import Served, served

FEED = """
district = "juniper"
[rest]
url = "{source}"
token_url = "{source}/oauth2/token"
client_id_env = "SIS_ID"
client_secret_env = "SIS_SECRET"
patience_seconds = 0
{settings}
[target]
url = "{target}"
token_url = "{target}/oauth2/token"
client_id_env = "SIS_ID"
client_secret_env = "SIS_SECRET"
email_template = "{{sourcedId}}@students.example.edu"
[limits]
vanished_percent = 100
school_percent = 100
"""
DELTA = "delta = true\noverlap_hours = 0"
EVERYTHING, CHANGES = "everything", "changes"
CREDENTIALS = {"SIS_ID": "sandbox", "SIS_SECRET": "sandbox"}


@dataclass(frozen=True)
class Districts:
    """The API that is read, and the one that is fed from it."""

    source: Served
    target: Sandbox
    folder: Path

    def configure(self, settings: str = "") -> None:
        """Write the feed's file."""
        text = FEED.format(source=self.source.sandbox.url, target=self.target.url, settings=settings)
        (self.folder / "juniper.toml").write_text(text)

    def run(self, command: str, *words: str) -> Run:
        """Run a command with the feed's file."""
        self.source.sandbox.requests.clear()
        self.target.requests.clear()
        feed = self.folder / "juniper.toml"
        return roster(command, feed, *words, "--json", state=self.folder / "state", environment=CREDENTIALS)

    def restore(self, run: str) -> Run:
        """Bring the roster of a run back."""
        return roster(
            "restore", run, self.folder / "juniper.toml", state=self.folder / "state", environment=CREDENTIALS
        )

    def held(self, collection: str) -> list[str]:
        """The ids that are active in the target."""
        return sorted(self.target.store.ids(collection))

    def target_record(self, collection: str, sourced_id: str) -> dict[str, Any]:
        """Give a record as the target holds it."""
        return self.target.store.get(collection, sourced_id) or {}

    @property
    def read(self) -> list[str]:
        """What each run asked the source for, the first one first, as the ledger has it."""
        with Ledger(self.folder / "state" / "ledger.db") as ledger:
            runs = ledger.runs(FeedKey(self.target.url, "juniper"))
        return [CHANGES if "changes since" in run.drop else EVERYTHING for run in reversed(runs)]


@contextmanager
def districts(folder: Path, settings: str = "") -> Iterator[Districts]:
    """Serve a source with a district in it, and a target without anything."""
    with ExitStack() as stack:
        source = stack.enter_context(served(folder / "source"))
        target = stack.enter_context(Sandbox(None))
        assert 0 == source.roster("sync", drop(folder / "drop", district())).code
        both = Districts(source, target, folder)
        both.configure(settings)
        yield both


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Districts]:
    """Give two districts whose feed asks for everything each night."""
    with districts(tmp_path) as found:
        yield found


def test_one_api_feeds_another(both: Districts) -> None:
    """Everybody arrives, and on the next night nothing is sent."""
    first, again = both.run("sync"), both.run("sync")

    assert (0, "done", 0) == (first.code, first.json["status"], first.total("rejected"))
    assert "unchanged" == again.json["status"]
    wanted = ("orgs", "academicSessions", "users", "courses", "classes", "enrollments")
    assert {name: sorted(row["sourcedId"] for row in district()[name]) for name in wanted} == {
        name: both.held(name) for name in wanted
    }


def test_only_changes_are_asked_for_after_the_first_night(tmp_path: Path) -> None:
    """Somebody has another name, somebody new came, one enrollment is over; whoever is not told of stays."""
    with districts(tmp_path, DELTA) as both:
        first = both.run("sync")
        both.source.change("users", "ana", familyName="Vega")
        both.source.change("enrollments", "e2", status="tobedeleted")
        both.source.lose("enrollments", "e1")

        second, third = both.run("sync"), both.run("sync")

        assert [0, 0, 0] == [first.code, second.code, third.code]
        assert "Vega" == both.target_record("users", "ana")["familyName"]
        assert ["e1", "e3"] == both.held("enrollments")
        assert [EVERYTHING, CHANGES, CHANGES] == both.read
        assert [1, 1, 0] == [second.total("updated"), second.total("deleted"), third.total("updated")]


def test_everything_is_read_again_when_the_feeds_file_changes(tmp_path: Path) -> None:
    """What the file now lets in has not changed at the source."""
    with districts(tmp_path, DELTA) as both:
        both.run("sync")
        both.source.lose("enrollments", "e1")
        both.configure(DELTA)

        both.run("sync")

        assert ["e2", "e3"] == both.held("enrollments")
        assert [EVERYTHING, EVERYTHING] == both.read


def test_a_roster_that_was_brought_back_is_not_left_by_a_delta(tmp_path: Path) -> None:
    """The source tells nothing of what was restored."""
    with districts(tmp_path, DELTA) as both:
        run = both.run("sync").json["run"]
        both.source.change("users", "ana", familyName="Vega")
        both.run("sync")

        assert 0 == both.restore(run).code
        assert "Diaz" == both.target_record("users", "ana")["familyName"]
        both.run("sync")

        assert "Vega" == both.target_record("users", "ana")["familyName"]


def test_a_plan_asks_as_the_sync_would(tmp_path: Path) -> None:
    """It reads changes, sends nothing, and is no reading on which later ones build."""
    with districts(tmp_path, DELTA) as both:
        both.run("sync")
        both.source.change("users", "ana", familyName="Vega")

        plan, check = both.run("plan"), both.run("check")

        assert [0, 1, 0] == [plan.code, plan.total("updated"), check.code]
        assert [EVERYTHING] == both.read
