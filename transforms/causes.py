"""Where a fault stands, in words: `students.csv row 7, birthDate: date`.

Written with `concat_str`, since polars (2.1) may panic at a `format` over rows that were filtered out of several pieces.
"""

from __future__ import annotations

import polars as pl

from transforms.findings import ROW, placed


def place(file: str, row: str = ROW) -> pl.Expr:
    """Name the file and the row."""
    name, number = placed(file, row)
    return pl.concat_str(name, pl.lit(" row "), number)


def fault(file: str, row: str = ROW) -> pl.Expr:
    """Name the file, the row, its `column` and the `rule` that it breaks."""
    return pl.concat_str(place(file, row), pl.lit(", "), "column", pl.lit(": "), "rule")
