"""A prefix before every id of a feed: ids are unique in a district, and one target may serve many."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.renaming import Renamed
from transforms.roster import Roster, Table
from transforms.schemas import Column


def prefixed(roster: Roster, prefix: str) -> Roster:
    """Write the prefix before each sourcedId and each reference to one."""
    if not prefix:
        return roster
    tables = {name: _prefixed(table, prefix) for name, table in roster.tables.items()}
    renamed = {(entity, prefix + new): prefix + was for (entity, new), was in roster.renamed.items()}
    return replace(roster, tables=tables, renamed=renamed)


def without_prefix(renamed: Renamed, prefix: str) -> Renamed:
    """Give renamed ids, which are kept as the target knows them, as the source writes them."""
    return {(entity, new.removeprefix(prefix)): was.removeprefix(prefix) for (entity, new), was in renamed.items()}


def _prefixed(table: Table, prefix: str) -> Table:
    columns = [column for column in table.entity.current if column.is_id and column.name in table.frame.columns]
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
