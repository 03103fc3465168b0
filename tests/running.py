"""The command line in this process, run as a person would, with its output."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from typer import testing
from typer.main import get_command

from flows.cli import app

# typer builds all commands again for each call, which takes a tenth of the time of a small load.
testing._get_command = cache(get_command)  # type: ignore[attr-defined]
QUIET = {"TIMEBACK_API_URL": "", "TERM": "dumb", "COLUMNS": "100"}


@dataclass(frozen=True)
class Run:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that was printed."""
        return self.out + self.err

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object on the last line of standard output."""
        answer: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return answer

    def total(self, term: str) -> int:
        """Return the count of a term, over all entities."""
        return sum(counts[term] for counts in self.json["entities"].values())


def roster(
    command: str, *arguments: str | Path, state: Path, environment: dict[str, str] | None = None
) -> Run:
    """Run a command with a state folder. The caller's environment never names its target."""
    words = [command, *map(str, arguments), "--state", str(state)]
    done = testing.CliRunner().invoke(app, words, env=QUIET | (environment or {}))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Run(done.exit_code, done.stdout, done.stderr)
