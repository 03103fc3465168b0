"""What differs between the records and what the program does now, as a unified diff that says under which command."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = "$ "
# How many lines of each record's difference are shown.
MOST_LINES = 80
ADVICE = "If the program is meant to do this now, run `make golden`, and say in the commit which lines change and why."


def difference(folder: Path, found: Mapping[str, str]) -> str:
    """Compare the records in a folder with the texts that were found; blank if they are the same."""
    names = sorted(found.keys() | {path.name for path in folder.glob("*")})
    parts = [part for name in names if (part := _difference(folder / name, found.get(name, "")))]
    return "\n".join([*parts, ADVICE]) if parts else ""


def _difference(path: Path, now: str) -> str:
    recorded = path.read_text("utf-8") if path.exists() else ""
    if recorded == now:
        return ""
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    lines = list(_diff(str(shown), recorded.splitlines(), now.splitlines()))
    more = [f"... and {len(lines) - MOST_LINES} more lines of this record"] if len(lines) > MOST_LINES else []
    return "\n".join([*lines[:MOST_LINES], *more])


def _diff(name: str, recorded: list[str], now: list[str]) -> Iterator[str]:
    """Give a unified diff; each of its parts names the command that its first line belongs to."""
    for line in difflib.unified_diff(recorded, now, name, "now", n=2, lineterm=""):
        if line.startswith("@@"):
            yield f"{line} {_command(recorded, line)}".rstrip()
        else:
            yield line


def _command(recorded: list[str], head: str) -> str:
    """Find the command above the first changed line of `@@ -12,5 +12,5 @@`."""
    first = int(head.removeprefix("@@ -").partition(" ")[0].partition(",")[0])
    above = (line for line in reversed(recorded[: first + 2]) if line.startswith(COMMAND))
    return next(above, "")
