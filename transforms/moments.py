"""Timestamps of delta rows: an older row never replaces a newer one, however drops are ordered.

Full snapshots have no such timestamps (CSV Binding, section 3). They contain what is true now, and
their dates tell which of two snapshots is newer.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.findings import Findings, row_findings
from transforms.payload import owner_column
from transforms.records import RosterState
from transforms.roster import Roster, Table

MODIFIED, MOMENT, OWNER = "dateLastModified", "#moment", "#owner"
# The id of each row, the time of its last change (microseconds since 1970, UTC) and, of a part such
# as a role, the record that it belongs to.
TIMESTAMP_COLUMNS: dict[str, type[pl.DataType]] = {
    "sourcedId": pl.String,
    MOMENT: pl.Int64,
    OWNER: pl.String,
}
SPELLING = "%Y-%m-%dT%H:%M:%S%.f%:z"
# Never `\d`: in polars it matches the digits of every script.
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
Timestamps = Mapping[str, pl.DataFrame]


def parse_date(cell: pl.Expr) -> pl.Expr:
    """Read a date, `YYYY-MM-DD`; other values become null.

    By itself, polars would also read `2026-03- 7` and `-026-03-07`.
    """
    written = cell.str.contains(DATE) & (cell > "0001")  # Python has no year 0
    return pl.when(written).then(cell).str.to_date("%Y-%m-%d", strict=False)


def parse_timestamp(cell: pl.Expr) -> pl.Expr:
    """Read a timestamp with an offset from UTC, or with a Z.

    Other values become null; the check reports them.
    """
    return cell.str.replace("Z$", "+00:00").str.to_datetime(SPELLING, time_unit="us", strict=False)


def deltas_with_timestamps(roster: Roster) -> dict[str, Table]:
    """Return the delta tables that have rows with a timestamp."""
    return {
        name: table
        for name, table in roster.tables.items()
        if table.mode == "delta" and _moments(table).height
    }


def outdated_rows(table: Table, newest: pl.DataFrame | None) -> Findings:
    """Refuse delta rows that are older than an accepted row of the same record.

    `newest` has the columns of `TIMESTAMP_COLUMNS`: the newest accepted row of each record.
    """
    if newest is None or table.mode != "delta":
        return Findings()
    last = newest.select("sourcedId", last=MOMENT)
    rows = table.frame.join(last, on="sourcedId", how="inner", maintain_order="left")
    rows = rows.filter(parse_timestamp(pl.col(MODIFIED)).dt.epoch("us") < pl.col("last"))
    return row_findings(
        "outdated", rows, file=table.file, entity=table.entity.name, column=MODIFIED, value=MODIFIED
    )


def accepted_timestamps(roster: Roster, standing: RosterState, newest: Timestamps) -> Timestamps:
    """Return the timestamps of the accepted and deleting rows that are newer than `newest`."""
    found = {
        name: _newer(_accepted(table, standing), newest.get(name))
        for name, table in deltas_with_timestamps(roster).items()
    }
    return {name: frame for name, frame in found.items() if frame.height}


def _accepted(table: Table, standing: RosterState) -> pl.DataFrame:
    """Return the newest row of each accepted or deleted record; parts follow their record."""
    rows = _moments(table)
    records = standing.get(table.entity.folds_into or table.entity.name)
    if records is None:
        return rows.clear()
    ids = pl.concat([records.accepted["sourcedId"], records.gone])
    record_id = OWNER if table.entity.folds_into else "sourcedId"
    return rows.filter(pl.col(record_id).is_in(ids.implode()))


def _moments(table: Table) -> pl.DataFrame:
    """Return the newest row of each id in a table that has a timestamp (columns of
    `TIMESTAMP_COLUMNS`)."""
    of = (
        pl.col(owner_column(table.entity).name)
        if table.entity.folds_into
        else pl.lit(None, pl.String)
    )
    rows = table.frame.select(
        "sourcedId", parse_timestamp(pl.col(MODIFIED)).dt.epoch("us").alias(MOMENT), of.alias(OWNER)
    )
    rows = rows.drop_nulls(["sourcedId", MOMENT]).sort(MOMENT, descending=True)
    return rows.unique("sourcedId", keep="first", maintain_order=True)


def _newer(rows: pl.DataFrame, known: pl.DataFrame | None) -> pl.DataFrame:
    if known is None:
        return rows
    joined = rows.join(
        known.select("sourcedId", last=MOMENT), on="sourcedId", how="left", maintain_order="left"
    )
    return joined.filter(pl.col("last").is_null() | (pl.col(MOMENT) > pl.col("last"))).drop("last")
