"""What of a plan a newer roster contradicts: whoever it has is not removed, and what it has otherwise is not sent."""

from __future__ import annotations

import polars as pl

from transforms.diff import marked
from transforms.guard.plan import REMOVAL_ACTIONS, by_entity
from transforms.judged import Judged, Standing

RECORDS = {"entity": pl.String, "sourcedId": pl.String}
REMOVAL = pl.col("action").is_in(REMOVAL_ACTIONS)


def overtaken(records: pl.DataFrame, source: Standing, newer: Standing) -> pl.DataFrame:
    """The records of a plan (`entity`, `sourcedId`) that are to go and the newer roster has, or that it has otherwise.

    `source` is the roster of which the plan is. Of entities that the newer one lacks it says nothing.
    """
    found = [
        rows.filter(_returned(rows, source.get(name), newer[name]) | _changed(rows, source.get(name), newer[name]))
        for name, rows in by_entity(records)
        if name in newer
    ]
    return pl.concat([pl.DataFrame(schema=RECORDS), *(rows.select(*RECORDS) for rows in found)])


def _returned(rows: pl.DataFrame, source: Judged | None, newer: Judged) -> pl.Series:
    """Which rows are to go, and are there: nobody can say who is missing once there are rows whose id is not certain."""
    there = pl.concat([newer.accepted["sourcedId"], newer.refused["sourcedId"], newer.withheld["sourcedId"]])
    unsure = newer.blurred and not (source is not None and source.blurred)
    return rows.select(hit=REMOVAL & (pl.col("sourcedId").is_in(there.implode()) | pl.lit(value=unsure)))["hit"]


def _changed(rows: pl.DataFrame, source: Judged | None, newer: Judged) -> pl.Series:
    """Which rows are to be sent as the plan's roster has them, and are not so any more."""
    met = rows.select("sourcedId", "action")
    for name, judged in (("then", source), ("now", newer)):
        met = met.join(_marks(judged, name), on="sourcedId", how="left", maintain_order="left")
    return met.select(hit=~REMOVAL & pl.col("then").is_not_null() & pl.col("then").ne_missing(pl.col("now")))["hit"]


def _marks(judged: Judged | None, name: str) -> pl.DataFrame:
    if judged is None:
        return pl.DataFrame(schema={"sourcedId": pl.String, name: pl.Int64})
    marks = marked({judged.entity.name: judged})[judged.entity.name]
    return pl.DataFrame({"sourcedId": judged.accepted["sourcedId"], name: marks})
