"""What runs wrote of a person: lines of tables are taken out, words of texts are masked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from pathlib import Path

from flows.files import write_private
from transforms.schemas import ENTITIES

MASKED = "(forgotten)"
# Shorter ones are numbers as well, of rows and of records: they are masked only where an id stands in a report.
LONG = 4
SHORT = rf"(?:(?<=[(:,] )|(?<=\()|(?<=[:,])|(?P<of>\b(?:{'|'.join(ENTITIES)})[ :]))(?:{{words}})(?=[,:)]|$)"
# The columns of these files in which ids, names and values stand.
NAMING = frozenset({"sourcedId", "name", "value", "detail"})


class Mask:
    """Puts a mask over words where they stand as words, in any case of letters."""

    def __init__(self, words: Collection[str]) -> None:
        self._short = frozenset(word for word in words if len(word) < LONG)
        long = sorted(set(words) - self._short, key=len, reverse=True)
        patterns = [rf"(?<![\w-])(?:{_any(long)})(?![\w-])"] if long else []
        patterns += [SHORT.replace("{words}", _any(sorted(self._short)))] if self._short else []
        self._found = re.compile("|".join(patterns), re.IGNORECASE | re.MULTILINE) if patterns else None

    def over(self, text: str) -> str:
        """Mask a text."""
        return self._found.sub(_masked, text) if self._found else text

    def hides(self, cell: str) -> bool:
        """Whether a cell is one of the words, or has one in it."""
        return cell.removeprefix("'") in self._short or self.over(cell) != cell


def mask_files(folder: Path, mask: Mask) -> int:
    """Clean the files of all runs below a folder; give how many changed."""
    changed = 0
    for path in sorted(folder.glob("*/*")):
        clean = {".csv": _table, ".md": _text}.get(path.suffix)
        if clean is None or not path.is_file():
            continue
        before = path.read_text("utf-8")
        after = clean(before, mask)
        if after != before:
            write_private(path, after)
            changed += 1
    return changed


def _any(words: Collection[str]) -> str:
    return "|".join(map(re.escape, words))


def _masked(found: re.Match[str]) -> str:
    return (found.groupdict().get("of") or "") + MASKED


def _table(text: str, mask: Mask) -> str:
    """Take out the rows that name the person."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    naming = [place for place, name in enumerate(rows[0] if rows else []) if name in NAMING]
    kept = [row for row in rows[1:] if not any(mask.hides(row[place]) for place in naming)]
    if len(kept) == len(rows[1:]):
        return text
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([rows[0], *kept])
    return out.getvalue()


def _text(text: str, mask: Mask) -> str:
    """Mask a text line by line; the rows of its tables are counts, and name nobody."""
    lines = text.splitlines(keepends=True)
    return "".join(line if line.startswith("|") else mask.over(line) for line in lines)
