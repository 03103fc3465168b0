"""When the rows of deltas were last changed: an older row does not go over a newer one, in whatever order drops come.

Full snapshots are not concerned. They say what is true now, whenever a row was changed, and leave its moment blank (CSV
Binding, section 3); which of two snapshots is the newer one, their days say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from transforms.findings import Findings, of_rows
from transforms.payload import owner
from transforms.records import EntityRecords, RosterState
from transforms.roster import Roster, Table

MODIFIED, MOMENT, OWNER = "dateLastModified", "#moment", "#owner"
# Of each row its id, when it was last changed (microseconds since 1970, UTC) and, of a part such as a role, whose it is.
MOMENTS: dict[str, type[pl.DataType]] = {"sourcedId": pl.String, MOMENT: pl.Int64, OWNER: pl.String}
SPELLING = "%Y-%m-%dT%H:%M:%S%.f%:z"
Moments = Mapping[str, pl.DataFrame]


def moment_of(cell: pl.Expr) -> pl.Expr:
    """Read a moment with its offset from UTC, or with a Z; null if there is none, which the check tells."""
    return cell.str.replace("Z$", "+00:00").str.to_datetime(SPELLING, time_unit="us", strict=False)


def changes_in(roster: Roster) -> dict[str, Table]:
    """The tables that hold changes, with rows that say when they were changed."""
    return {
        name: table
        for name, table in roster.tables.items()
        if table.mode == "delta" and _moments(table).height
    }


def outdated(table: Table, newest: pl.DataFrame | None) -> Findings:
    """Refuse rows of a delta that are older than what was accepted of the same record (`newest`, as `MOMENTS`)."""
    if newest is None or table.mode != "delta":
        return Findings()
    last = newest.select("sourcedId", last=MOMENT)
    rows = table.frame.join(last, on="sourcedId", how="inner", maintain_order="left")
    rows = rows.filter(moment_of(pl.col(MODIFIED)).dt.epoch("us") < pl.col("last"))
    return of_rows(
        "outdated", rows, file=table.file, entity=table.entity.name, column=MODIFIED, value=MODIFIED
    )


def accepted_moments(roster: Roster, standing: RosterState, newest: Moments) -> Moments:
    """The moments of the rows that were accepted, or said that a record is gone, as far as they are newer than what is known (`newest`)."""
    found = {
        name: _new(_accepted(table, standing), newest.get(name))
        for name, table in changes_in(roster).items()
    }
    return {name: frame for name, frame in found.items() if frame.height}


def _accepted(table: Table, standing: RosterState) -> pl.DataFrame:
    """The rows of one table whose records stand, the newest of each; a part stands with its record."""
    judged = standing.get(table.entity.folds_into or table.entity.name)
    rows = _moments(table)
    whose = OWNER if table.entity.folds_into else "sourcedId"
    return rows.filter(pl.col(whose).is_in(pl.concat(_stands(judged)).implode()))


def _stands(judged: EntityRecords | None) -> Iterator[pl.Series]:
    yield pl.Series("sourcedId", dtype=pl.String)
    if judged is not None:
        yield from (judged.accepted["sourcedId"], judged.gone)


def _moments(table: Table) -> pl.DataFrame:
    of = pl.col(owner(table.entity).name) if table.entity.folds_into else pl.lit(None, pl.String)
    rows = table.frame.select(
        "sourcedId", moment_of(pl.col(MODIFIED)).dt.epoch("us").alias(MOMENT), of.alias(OWNER)
    )
    rows = rows.drop_nulls(["sourcedId", MOMENT]).sort(MOMENT, descending=True)
    return rows.unique("sourcedId", keep="first", maintain_order=True)


def _new(rows: pl.DataFrame, known: pl.DataFrame | None) -> pl.DataFrame:
    if known is None:
        return rows
    met = rows.join(
        known.select("sourcedId", last=MOMENT), on="sourcedId", how="left", maintain_order="left"
    )
    return met.filter(pl.col("last").is_null() | (pl.col(MOMENT) > pl.col("last"))).drop("last")
