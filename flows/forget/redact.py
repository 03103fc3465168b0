"""Redaction of a person in the files of runs.

Rows of tables that name the person are removed. In texts, words that identify the person are
masked.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from connectors.private_files import write_private
from flows.run_files import RUN_FILES
from transforms.schemas import ENTITIES

MASKED = "(forgotten)"
# Shorter words are also numbers of rows and records, so they are masked only where a report has an
# id.
LONG_WORD = 4
SHORT = (
    rf"(?:(?<=[(:,] )|(?<=\()|(?<=[:,])|(?P<of>\b(?:{'|'.join(ENTITIES)})[ "
    rf":]))(?:{{words}})(?=[,:)]|$)"
)
# Files that people put beside those of a run are redacted too, if they look like them.
LIKE_OURS = {".csv": frozenset[str]().union(*RUN_FILES.values()), ".md": frozenset[str]()}


class Mask:
    """Masks words where they are complete words, in upper or lower case."""

    def __init__(self, words: Collection[str]) -> None:
        self._short = frozenset(word for word in words if len(word) < LONG_WORD)
        long = sorted(set(words) - self._short, key=len, reverse=True)
        patterns = [rf"(?<![\w-])(?:{_any_of(long)})(?![\w-])"] if long else []
        patterns += [SHORT.replace("{words}", _any_of(sorted(self._short)))] if self._short else []
        self._found = (
            re.compile("|".join(patterns), re.IGNORECASE | re.MULTILINE) if patterns else None
        )

    def over(self, text: str) -> str:
        return self._found.sub(_replace_match, text) if self._found else text

    def hides(self, cell: str) -> bool:
        """Whether a cell is or contains one of the words."""
        return cell.removeprefix("'") in self._short or self.over(cell) != cell


def mask_files(folder: Path, mask: Mask) -> int:
    """Redact the files of all runs below a folder. Return how many changed."""
    changed = 0
    for path in sorted(folder.glob("*/*")):
        columns = _columns_with_ids(path)
        if columns is None or not path.is_file():
            continue
        before = path.read_bytes().decode()  # keeps the line breaks
        after = _redact_table(before, columns, mask) if columns else _redact_text(before, mask)
        if after != before:
            write_private(path, after)
            changed += 1
    return changed


def _columns_with_ids(path: Path) -> Collection[str] | None:
    """Return the columns by which to redact a table; none for a text, None for any other file."""
    for name, columns in RUN_FILES.items():
        if path.name == name:
            return columns
    return LIKE_OURS.get(path.suffix)


def _any_of(words: Collection[str]) -> str:
    return "|".join(map(re.escape, words))


def _replace_match(found: re.Match[str]) -> str:
    return (found.groupdict().get("of") or "") + MASKED


def _redact_table(text: str, columns: Collection[str], mask: Mask) -> str:
    """Remove the rows that name the person in some columns.

    The other rows stay as they are, to the last character.
    """
    rows = _rows(text)
    header, first = next(rows, ([], ""))
    places = [place for place, name in enumerate(header) if name in columns]
    return first + "".join(
        line for row, line in rows if not any(mask.hides(row[place]) for place in places)
    )


def _rows(text: str) -> Iterator[tuple[list[str], str]]:
    """Yield the rows of a table, each with the lines that it was read from."""
    lines: list[str] = []

    def collect_lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            lines.append(line)
            yield line

    for row in csv.reader(collect_lines()):
        yield row, "".join(lines)
        lines.clear()


def _redact_text(text: str, mask: Mask) -> str:
    """Mask a text line by line. The rows of its tables are counts, and name nobody."""
    lines = text.splitlines(keepends=True)
    return "".join(line if line.startswith("|") else mask.over(line) for line in lines)
