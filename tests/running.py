"""Running the command line in tests, as a person would, and reading what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from typer import testing
from typer.main import get_command

from flows.cli import app

# typer builds every command again for each call, which takes a tenth of a small load.
testing._get_command = cache(get_command)  # type: ignore[attr-defined]
QUIET = {"TIMEBACK_API_URL": "", "TERM": "dumb", "COLUMNS": "100"}


@dataclass(frozen=True)
class Run:
    """What a command came to: its exit code, what it printed, and its JSON object if it was asked for one."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that was printed."""
        return self.out + self.err

    @property
    def json(self) -> dict[str, Any]:
        """The object on the last line of standard output."""
        answer: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return answer

    def total(self, term: str) -> int:
        """How many records of all entities ended in a term."""
        return sum(counts[term] for counts in self.json["entities"].values())


def roster(
    command: str, *arguments: str | Path, state: Path, environment: dict[str, str] | None = None
) -> Run:
    """Run a command with its own state folder; nothing of the caller's environment is a target."""
    words = [command, *map(str, arguments), "--state", str(state)]
    done = testing.CliRunner().invoke(app, words, env=QUIET | (environment or {}))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Run(done.exit_code, done.stdout, done.stderr)
