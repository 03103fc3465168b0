"""rejects.csv: each error of each row, for those who mend the source."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from flows.files import write_private
from flows.showing import SIGNS, plain
from transforms.findings import ERRORS, Findings

# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = r"^[=+\-@\t\r]"
HARMFUL = rf"{FORMULA}|[{SIGNS}]"


def harmless(cell: str) -> str:
    """Quote a cell that a spreadsheet would run, and show signs that steer a terminal."""
    return f"'{plain(cell)}" if re.match(FORMULA, cell) else plain(cell)


def write_rejects(path: Path, findings: Findings) -> None:
    """Write the errors in order of file and row; what would do harm in a spreadsheet or on a terminal is not in them."""
    texts = [name for name, kind in ERRORS.items() if kind == pl.String]
    errors = findings.errors.sort("file", "row", nulls_last=False, maintain_order=True)
    write_private(path, errors.with_columns(_harmless(errors[name]) for name in texts).write_csv())


def _harmless(cells: pl.Series) -> pl.Series:
    odd = cells.filter(cells.str.contains(HARMFUL).fill_null(value=False)).unique()
    return cells.replace({cell: harmless(cell) for cell in odd}) if odd.len() else cells
