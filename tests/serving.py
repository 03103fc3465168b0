"""A target that stays up while several commands run against it, and that somebody else can change in between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.oneroster.sandbox import Sandbox
from tests.running import Run, roster


@dataclass(frozen=True)
class Served:
    """A sandbox on loopback, and the state folder of whoever loads into it."""

    sandbox: Sandbox
    state: Path

    def roster(self, command: str, *arguments: str | Path) -> Run:
        """Run a command against this target, and ask for its JSON."""
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
        """The methods of the writes that the last command sent."""
        return [method for method, _ in self.sandbox.requests if method != "GET"]

    def record(self, collection: str, sourced_id: str) -> dict[str, Any]:
        """Give a record as the target holds it, deleted or not."""
        return self.sandbox.store.get(collection, sourced_id) or {}

    def change(self, collection: str, sourced_id: str, **properties: object) -> None:
        """Let somebody else change a record, or add one."""
        record = self.record(collection, sourced_id) or {
            "sourcedId": sourced_id,
            "status": "active",
        }
        self.sandbox.store.put(collection, record | properties)

    def lose(self, collection: str, sourced_id: str) -> None:
        """Let the target lose a record altogether."""
        self.sandbox.store.query(
            "DELETE FROM records WHERE collection = ? AND id = ?", (collection, sourced_id)
        )
