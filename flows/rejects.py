"""rejects.csv: each error of each row, for those who mend the source."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from flows.files import write_private
from transforms.findings import ERRORS, Findings

# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = r"^[=+\-@\t\r]"


def harmless(cell: str) -> str:
    """Quote a cell that a spreadsheet would run."""
    return f"'{cell}" if re.match(FORMULA, cell) else cell


def write_rejects(path: Path, findings: Findings) -> None:
    """Write the errors in order of file and row; cells that a spreadsheet would run are quoted."""
    texts = [name for name, kind in ERRORS.items() if kind == pl.String]
    safe = [
        pl.when(pl.col(name).str.contains(FORMULA)).then("'" + pl.col(name)).otherwise(name).alias(name)
        for name in texts
    ]
    errors = findings.errors.sort("file", "row", nulls_last=False, maintain_order=True)
    write_private(path, errors.with_columns(safe).write_csv())
