"""Two feeds of one target that have some records in common, for tests of what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox.store import SandboxStore
from tests.rosters import Rows, changed, district, drop, without
from tests.running import Run, roster

FEED = """district = "{name}"
drop = "{name}"
[target]
url = "sandbox"
[limits]
vanished_percent = {percent}
school_percent = 100
vanished_records = 0
"""
# Tia teaches at both schools.
AT_OAK = {
    "roles": {"sourcedId": "r5", "userSourcedId": "tia", "roleType": "primary", "role": "teacher", "orgSourcedId": "s2"},
    "enrollments": {"sourcedId": "e4", "classSourcedId": "c2", "schoolSourcedId": "s2", "userSourcedId": "tia", "role": "teacher"},
}  # fmt: skip
# Ana after she has moved to Oak School, which does not know her mother.
ANA_AT_OAK = {
    "users": district()["users"][0] | {"agentSourcedIds": ""},
    "roles": {"sourcedId": "r6", "userSourcedId": "ana", "roleType": "primary", "role": "student", "orgSourcedId": "s2"},
    "enrollments": {"sourcedId": "e6", "classSourcedId": "c2", "schoolSourcedId": "s2", "userSourcedId": "ana", "role": "student"},
}  # fmt: skip


def north(*gone: str) -> Rows:
    """Elm School, with Ana, her mother and Tia, without some of its records."""
    return without(district(), "s2", "bo", "r2", "c2", "e2", *gone)


def south(*gone: str, **cells: str) -> Rows:
    """Oak School, with Bo, and with Tia as this school writes her, without some of its records."""
    rows = without(district(), "s1", "ana", "mum", "r1", "r3", "r4", "c1", "e1", "e3")
    return changed(without(with_rows(rows, AT_OAK), *gone), "tia", **cells)


def with_rows(rows: Rows, more: dict[str, dict[str, str]]) -> Rows:
    """Return the rows with one more in some files."""
    return rows | {name: [*rows[name], row] for name, row in more.items()}


class Feeds:
    """Feeds into one sandbox, by their names, and their state."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder, self.state, self.environment = folder, folder / "state", environment
        self.percent = 100  # how many records may vanish

    def file(self, name: str, more: str = "") -> Path:
        """Write a feed file."""
        file = self.folder / f"{name}.toml"
        file.write_text(FEED.format(name=name, percent=self.percent) + more)
        return file

    def run(self, *words: str | Path) -> Run:
        """Run a command."""
        return roster(*map(str, words), state=self.state, environment=self.environment)

    def sync(
        self,
        name: str,
        rows: Rows,
        *options: str,
        more: str = "",
        mode: str = "bulk",
        command: str = "sync",
    ) -> Run:
        """Load a feed, or run another command on its drop."""
        drop(self.folder / name, rows, mode)
        return self.run(command, self.file(name, more), "--json", *options)

    def requests(self, *nights: tuple[str, Rows], more: str = "") -> list[int]:
        """Load feeds one after the other, and return how many requests each night took."""
        return [self.sync(name, rows, more=more).json["requests"] for name, rows in nights]

    def differences(self) -> list[int]:
        """Compare the target with what the ledger has of both feeds: the exit codes."""
        return [self.run("verify", self.file(name)).code for name in ("north", "south")]

    def user(self, sourced_id: str) -> dict[str, Any]:
        """Return a user as the target has it."""
        store = SandboxStore(self.state / "sandbox.db")
        found = store.get("users", sourced_id) or {}
        store.close()
        return found

    def orgs_of(self, sourced_id: str) -> list[str]:
        """Return the organizations of a user's roles in the target."""
        return sorted(role["org"]["sourcedId"] for role in self.user(sourced_id)["roles"])

    def status(self, name: str, sourced_id: str) -> str:
        """Return how a ledger in a file knows a user."""
        with Ledger(self.state / "ledger.db") as ledger:
            users = ledger.known(FeedKey("sandbox", name))["users"]
        return str(users.filter(sourcedId=sourced_id)["status"][0])
