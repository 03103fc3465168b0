"""The difference between the golden records and the program's behavior now, as a unified diff.

Each part of the diff names its command.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from itertools import groupby, takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = "$ "
# The most lines that are shown of the difference of one record.
MOST_LINES = 80
# In a line longer than LONG, the change is marked, with AROUND characters on both sides.
LONG, AROUND = 120, 40
ADVICE = (
    "If the program is meant to do this now, run `make golden`, and say in the commit which lines "
    "change and why."
)


def difference(folder: Path, found: Mapping[str, str]) -> str:
    """Compare the records in a folder with new ones; blank if they are the same."""
    names = sorted(found.keys() | {path.name for path in folder.glob("*")})
    parts = [part for name in names if (part := _difference(folder / name, found.get(name, "")))]
    return "\n".join([*parts, ADVICE]) if parts else ""


def _difference(path: Path, now: str) -> str:
    recorded = path.read_text("utf-8") if path.exists() else ""
    if recorded == now:
        return ""
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    before, after = recorded.splitlines(), now.splitlines()
    if before == after:
        return f"{shown} differs only in how its last line ends."
    lines = list(_diff(str(shown), before, after))
    more = (
        [f"... and {len(lines) - MOST_LINES} more lines of this record"]
        if len(lines) > MOST_LINES
        else []
    )
    return "\n".join([*lines[:MOST_LINES], *more])


def _diff(name: str, recorded: list[str], now: list[str]) -> Iterator[str]:
    """Yield a unified diff. Each part names the command to which its first changed line belongs."""
    first, second, *lines = difflib.unified_diff(recorded, now, name, "now", n=2, lineterm="")
    yield from (first, second)
    changed: list[str] = []
    for sign, group in groupby(lines, lambda line: line[0]):
        part = list(group)
        if sign == "@":
            part = [f"{line} {_command(recorded, line)}".rstrip() for line in part]
        yield from part
        if sign == "+" and len(part) == len(changed):
            yield from (
                _mark(old[1:], new[1:])
                for old, new in zip(changed, part, strict=True)
                if len(old) > LONG
            )
        changed = part if sign == "-" else []


def _command(recorded: list[str], head: str) -> str:
    """Find the command above the first changed line of `@@ -12,5 +12,5 @@`."""
    first = int(head.removeprefix("@@ -").partition(" ")[0].partition(",")[0])
    above = (line for line in reversed(recorded[: first + 2]) if line.startswith(COMMAND))
    return next(above, "")


def _mark(old: str, new: str) -> str:
    """Mark the change in a long line: `? ...before [-old-]{+new+} after...`."""
    start = _same(old, new)
    end = _same(old[start:][::-1], new[start:][::-1])
    before, after = old[:start][-AROUND:], old[len(old) - end :][:AROUND]
    return (
        "? "
        f"...{before}[-{old[start : len(old) - end]}-]{{+{new[start : len(new) - end]}+}}{after}..."
    )


def _same(old: str, new: str) -> int:
    """Count the characters at the beginning that are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
