"""Edits to the CSV files of a drop, from which the drop of the next night is made."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Row = list[str]


@dataclass(frozen=True)
class Edit:
    """What happens to the rows of a file whose column has a value; `cells` are what an edited or a new row has instead."""

    what: Literal["change", "remove", "copy"]
    file: str
    column: str
    value: str
    cells: dict[str, str] = field(default_factory=dict)


def change(file: str, column: str, value: str, **cells: str) -> Edit:
    """Change cells of the rows."""
    return Edit("change", file, column, value, _named(cells))


def remove(file: str, column: str, value: str) -> Edit:
    """Remove the rows."""
    return Edit("remove", file, column, value)


def copy(file: str, column: str, value: str, **cells: str) -> Edit:
    """Append a row that is like the first of the rows but for some cells."""
    return Edit("copy", file, column, value, _named(cells))


def _named(cells: dict[str, str]) -> dict[str, str]:
    """Let `First_Name` or `SIS__ID` stand for a column: two underscores are a space."""
    return {name.replace("__", " "): cell for name, cell in cells.items()}


def apply(edit: Edit, drop: Path) -> None:
    """Edit a file; raise `ValueError` if it has no such row, so that no edit is lost unnoticed."""
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
    """Give the rows as they are after an edit."""
    fit = [_fits(row, place, edit.value) for row in rows]
    if edit.what == "remove":
        return [row for row, fits in zip(rows, fit, strict=True) if not fits]
    if edit.what == "copy":
        return [*rows, _with(edit, header, rows[fit.index(True)])]
    return [_with(edit, header, row) if fits else row for row, fits in zip(rows, fit, strict=True)]


def _with(edit: Edit, header: Row, row: Row) -> Row:
    return [edit.cells.get(name, cell) for name, cell in zip(header, row, strict=False)]
