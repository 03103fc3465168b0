"""One district's API feeds the target of another: night after night, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

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
"""
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

    def held(self, collection: str) -> list[str]:
        """The ids that are active in the target."""
        return sorted(self.target.store.ids(collection))

    @property
    def asked(self) -> set[str]:
        """What the source was asked for: everything, or changes."""
        reads = [path for _, path in self.source.sandbox.requests if "/ims/" in path]
        return {"changes" if "filter=" in path else "everything" for path in reads}


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
