"""A target that serves several commands, and that others can change in between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.oneroster.sandbox import Sandbox
from tests.running import Run, roster


@dataclass(frozen=True)
class Served:
    """A sandbox on loopback, and the state folder of the commands that use it."""

    sandbox: Sandbox
    state: Path

    def roster(self, command: str, *arguments: str | Path) -> Run:
        """Run a command against this target, with `--json`."""
        environment = {
            "TIMEBACK_API_URL": self.sandbox.url,
            "TIMEBACK_TOKEN_URL": self.sandbox.token_url,
            "TIMEBACK_CLIENT_ID": "sandbox",
            "TIMEBACK_CLIENT_SECRET": "sandbox",
        }
        self.sandbox.requests.clear()
        return roster(
            command,
            *arguments,
            "--target",
            "env",
            "--json",
            state=self.state,
            environment=environment,
        )

    @property
    def writes(self) -> list[str]:
        """The methods of the write requests of the last command."""
        return [method for method, _ in self.sandbox.requests if method != "GET"]

    def record(self, collection: str, sourced_id: str) -> dict[str, Any]:
        """Return a record of the target, deleted or not; empty if there is none."""
        return self.sandbox.store.get(collection, sourced_id) or {}

    def change(self, collection: str, sourced_id: str, **properties: object) -> None:
        """Change or add a record, as another program would."""
        record = self.record(collection, sourced_id) or {
            "sourcedId": sourced_id,
            "status": "active",
        }
        self.sandbox.store.put(collection, record | properties)

    def lose(self, collection: str, sourced_id: str) -> None:
        """Make the target lose a record, without a trace."""
        self.sandbox.store.query(
            "DELETE FROM records WHERE collection = ? AND id = ?", (collection, sourced_id)
        )
