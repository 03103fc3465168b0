"""A feed from a REST source into a target over real HTTP: its file, its runs, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from tests.running import Run, roster

FILE = """
district = "juniper"
[rest]
client_id_env = "SIS_ID"
client_secret_env = "SIS_SECRET"
{source}
[target]
url = "{target}"
token_url = "{target}/oauth2/token"
client_id_env = "TARGET_ID"
client_secret_env = "TARGET_SECRET"
email_template = "{{sourcedId}}@students.example.edu"
[limits]
vanished_percent = 100
school_percent = 100
"""
DELTA = "delta = true\noverlap_hours = 0"
EVERYTHING, CHANGES = "everything", "changes"


@dataclass(frozen=True)
class Feed:
    """A feed's folder, the target that it loads into, and the credentials of its source."""

    folder: Path
    target: Sandbox
    client_id: str = "sandbox"
    client_secret: str = "sandbox"

    def configure(self, *source: str) -> None:
        """Write the feed file, with lines about its source."""
        text = FILE.format(source="\n".join(source), target=self.target.url)
        (self.folder / "juniper.toml").write_text(text)

    def run(self, command: str, *before: str) -> Run:
        """Run a command with the feed file; `before` stands before it."""
        secrets = {"SIS_ID": self.client_id, "SIS_SECRET": self.client_secret}
        environment = secrets | {"TARGET_ID": "sandbox", "TARGET_SECRET": "sandbox"}
        feed, state = self.folder / "juniper.toml", self.folder / "state"
        return roster(command, *before, feed, "--json", state=state, environment=environment)

    def holds(self, collection: str) -> list[str]:
        """The ids that are active in the target."""
        return sorted(self.target.store.ids(collection))

    def record(self, collection: str, sourced_id: str) -> dict[str, Any]:
        """Give a record as the target holds it."""
        return self.target.store.get(collection, sourced_id) or {}

    @property
    def asked(self) -> list[str]:
        """What each run asked the source for, the first one first, as the ledger has it."""
        with Ledger(self.folder / "state" / "ledger.db") as ledger:
            runs = ledger.runs(FeedKey(self.target.url, "juniper"))
        return [CHANGES if "changes since" in run.drop else EVERYTHING for run in reversed(runs)]
