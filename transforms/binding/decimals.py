"""Ids that a program took for numbers: `12345.0` is meant as 12345, if every id of the column is written so."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from transforms.schemas import Entity

DECIMALS = r"^\d+\.0(,\d+\.0)*$"


def without_decimals(entity: Entity, frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    """Take `.0` off the ids of a column; where only some have it, nobody can tell, and they stay as they are."""
    for column in entity.current:
        if column.is_id and column.name in frame.columns and _all_decimal(frame[column.name]):
            yield column.name, pl.col(column.name).str.replace_all(r"\.0(,|$)", "$1")


def _all_decimal(ids: pl.Series) -> bool:
    """Look at the first id that is there, before all are looked at."""
    first = ids.is_not_null().arg_max()
    if first is None or not str(ids[first]).endswith(".0"):
        return False
    return bool(ids.str.contains(DECIMALS).all())  # nulls are left out
