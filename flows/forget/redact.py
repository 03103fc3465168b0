"""What runs wrote of a person: lines of tables are taken out, words of texts are masked."""

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
# Shorter ones are numbers as well, of rows and of records: they are masked only where an id stands in a report.
LONG = 4
SHORT = (
    rf"(?:(?<=[(:,] )|(?<=\()|(?<=[:,])|(?P<of>\b(?:{'|'.join(ENTITIES)})[ "
    rf":]))(?:{{words}})(?=[,:)]|$)"
)
# Files that people have put beside those of a run are cleaned too, if they look like them.
LIKE_OURS = {".csv": frozenset[str]().union(*RUN_FILES.values()), ".md": frozenset[str]()}


class Mask:
    """Puts a mask over words where they stand as words, in any case of letters."""

    def __init__(self, words: Collection[str]) -> None:
        self._short = frozenset(word for word in words if len(word) < LONG)
        long = sorted(set(words) - self._short, key=len, reverse=True)
        patterns = [rf"(?<![\w-])(?:{_any(long)})(?![\w-])"] if long else []
        patterns += [SHORT.replace("{words}", _any(sorted(self._short)))] if self._short else []
        self._found = (
            re.compile("|".join(patterns), re.IGNORECASE | re.MULTILINE) if patterns else None
        )

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
        columns = _naming_columns(path)
        if columns is None or not path.is_file():
            continue
        before = path.read_bytes().decode()  # line breaks as they are
        after = _table(before, columns, mask) if columns else _text(before, mask)
        if after != before:
            write_private(path, after)
            changed += 1
    return changed


def _naming_columns(path: Path) -> Collection[str] | None:
    """The columns by which a file is cleaned, none for a text; None for a file that nobody can clean."""
    for name, columns in RUN_FILES.items():
        if path.name == name:
            return columns
    return LIKE_OURS.get(path.suffix)


def _any(words: Collection[str]) -> str:
    return "|".join(map(re.escape, words))


def _masked(found: re.Match[str]) -> str:
    return (found.groupdict().get("of") or "") + MASKED


def _table(text: str, columns: Collection[str], mask: Mask) -> str:
    """Take out the rows that name the person in some columns; the others stay as they are written, to the last character."""
    rows = _rows(text)
    header, first = next(rows, ([], ""))
    naming = [place for place, name in enumerate(header) if name in columns]
    return first + "".join(
        line for row, line in rows if not any(mask.hides(row[place]) for place in naming)
    )


def _rows(text: str) -> Iterator[tuple[list[str], str]]:
    """The rows of a table, each with the lines in which it is written."""
    lines: list[str] = []

    def remembered() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            lines.append(line)
            yield line

    for row in csv.reader(remembered()):
        yield row, "".join(lines)
        lines.clear()


def _text(text: str, mask: Mask) -> str:
    """Mask a text line by line; the rows of its tables are counts, and name nobody."""
    lines = text.splitlines(keepends=True)
    return "".join(line if line.startswith("|") else mask.over(line) for line in lines)
