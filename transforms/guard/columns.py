"""Columns that were filled in earlier drops, and are missing or blank in this one."""

from __future__ import annotations

import polars as pl

from transforms.changes import ACTION
from transforms.guard.past import Column, Past
from transforms.guard.stops import Stops

# What fewer records had is nothing that an export lost; more than this share of them is.
FEWEST, MOST = 5, 0.5


def emptied_columns(stops: Stops, past: Past) -> None:
    """Stop the updates by which most of the records lose, or change, a value whose column is gone or has run dry."""
    for name, columns in past.columns.items():
        for column, before in columns.items():
            if name in stops.parts and before.records >= FEWEST:
                _judge(stops, past, name, column, before)


def _judge(stops: Stops, past: Past, name: str, column: str, before: Column) -> None:
    updates = stops.updates(name)
    now = updates.select(
        "sourcedId", (pl.col(column) if column in updates.columns else pl.lit(None, pl.String)).alias("now")
    )
    met = now.join(past.records(name, column), on="sourcedId", how="inner").drop_nulls(column)
    # What a setting makes up in place of a missing column, such as an address, is no value of the export.
    lost = met.filter(pl.col("now").ne_missing(pl.col(column)) if before.missing else pl.col("now").is_null())
    if lost.height < FEWEST or lost.height <= before.records * MOST:
        return
    said = "missing in this drop" if before.missing else f"blank for {lost.height:,} in this drop"
    strange = f" New in {before.file}: {', '.join(before.strange)}. Did it take its place?" if before.strange else ""
    where = f"{before.file}: " if before.file else f"{name}: "
    sentence = (
        f"{where}column {column} is {said}, and {before.records:,} {name} had a value in it.{strange} "
        "If it will not come again, approve; else correct the export."
    )
    stops.stop("column_gone", sentence, name, upserts=(pl.col(ACTION) == "update") & pl.col("sourcedId").is_in(lost["sourcedId"].implode()))  # fmt: skip
