"""Edits to the CSV files of a drop, which make the drop of the next night."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Row = list[str]


@dataclass(frozen=True)
class Edit:
    """What happens to the rows of a file that have some value in some column."""

    what: Literal["change", "remove", "copy"]
    file: str
    column: str
    value: str
    cells: dict[str, str] = field(default_factory=dict)  # of the changed or the new rows


def change(file: str, column: str, value: str, **cells: str) -> Edit:
    """Change cells of the rows."""
    return Edit("change", file, column, value, _named(cells))


def remove(file: str, column: str, value: str) -> Edit:
    """Remove the rows."""
    return Edit("remove", file, column, value)


def copy(file: str, column: str, value: str, **cells: str) -> Edit:
    """Append a copy of the first of the rows, with some cells changed."""
    return Edit("copy", file, column, value, _named(cells))


def _named(cells: dict[str, str]) -> dict[str, str]:
    """Replace two underscores in the names of columns with a space: `SIS__ID` is `SIS ID`."""
    return {name.replace("__", " "): cell for name, cell in cells.items()}


def apply(edit: Edit, drop: Path) -> None:
    """Edit a file. Raises `ValueError` if it has no such row, so that every edit has an effect."""
    path = drop / edit.file
    text = path.read_text("utf-8-sig")
    escape = "\\" if '\\"' in text or "\\\n" in text else None
    delimiter = ";" if text.partition("\n")[0].count(";") else ","
    header, *rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, escapechar=escape
    )
    place = header.index(edit.column)
    if not any(_fits(row, place, edit.value) for row in rows):
        raise ValueError(f"{edit.file} has no row whose {edit.column} is {edit.value}")
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, escapechar=escape, doublequote=escape is None)
    writer.writerows([header, *_edited(edit, header, rows, place)])
    path.write_text(out.getvalue(), "utf-8", newline="")


def _fits(row: Row, place: int, value: str) -> bool:
    return len(row) > place and row[place] == value


def _edited(edit: Edit, header: Row, rows: list[Row], place: int) -> list[Row]:
    """Return the rows after an edit."""
    fit = [_fits(row, place, edit.value) for row in rows]
    if edit.what == "remove":
        return [row for row, fits in zip(rows, fit, strict=True) if not fits]
    if edit.what == "copy":
        return [*rows, _with(edit, header, rows[fit.index(True)])]
    return [_with(edit, header, row) if fits else row for row, fits in zip(rows, fit, strict=True)]


def _with(edit: Edit, header: Row, row: Row) -> Row:
    return [edit.cells.get(name, cell) for name, cell in zip(header, row, strict=False)]
