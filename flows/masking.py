"""What runs wrote of a person: lines of tables are taken out, words of texts are masked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection
from pathlib import Path

from flows.files import write_private

MASK = "(forgotten)"
Mask = Callable[[str], str]


def masker(words: Collection[str]) -> Mask:
    """Give what puts a mask over these words, where they stand as words, in any case of letters."""
    if not words:
        return lambda text: text
    longest_first = sorted(words, key=len, reverse=True)
    found = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)
    return lambda text: found.sub(MASK, text)


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


def _table(text: str, mask: Mask) -> str:
    """Take out the rows in which any cell has one of the words."""
    if mask(text) == text:
        return text
    rows = list(csv.reader(io.StringIO(text, newline="")))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(row for place, row in enumerate(rows) if not place or all(mask(cell) == cell for cell in row))
    return out.getvalue()


def _text(text: str, mask: Mask) -> str:
    """Mask a text line by line; the rows of its tables are counts, and name nobody."""
    return "".join(line if line.startswith("|") else mask(line) for line in text.splitlines(keepends=True))
