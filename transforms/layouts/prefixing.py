"""A prefix before every id of a feed: ids are unique in a district, and one target may serve many."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.roster import Roster, Table
from transforms.schemas import Column

IDS = ("guid", "reference", "references")


def prefixed(roster: Roster, prefix: str) -> Roster:
    """Write the prefix before each sourcedId and each reference to one."""
    if not prefix:
        return roster
    return replace(roster, tables={name: _prefixed(table, prefix) for name, table in roster.tables.items()})


def _prefixed(table: Table, prefix: str) -> Table:
    columns = [column for column in table.entity.current if column.kind in IDS and column.name in table.frame.columns]
    frame = table.frame.with_columns(_with(column, prefix) for column in columns)
    return replace(
        table, frame=frame, lost=table.lost.with_columns((pl.lit(prefix) + pl.col("sourcedId")).alias("sourcedId"))
    )


def _with(column: Column, prefix: str) -> pl.Expr:
    cell = pl.col(column.name)
    if not column.is_list:
        return (pl.lit(prefix) + cell).alias(column.name)
    return (
        cell.str.split(",").list.eval(pl.lit(prefix) + pl.element().str.strip_chars()).list.join(",").alias(column.name)
    )
