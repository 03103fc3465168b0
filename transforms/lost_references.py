"""Leave out what unsent records refer to, and that no longer is anywhere.

A record that an earlier drop had, and that did not reach the target, is sent with a later one. What
it refers to may have left the roster since then, without having reached the target either. A full
snapshot of that entity shows this; where a drop has none, nothing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import polars as pl

from transforms.checks.references import LedgerFrames, OtherFeedsIds, in_target, without_references
from transforms.findings import ROW, Findings, file_finding
from transforms.records import EntityRecords, RosterState
from transforms.schemas import ENTITIES, Column

Elsewhere = Callable[[list[str]], OtherFeedsIds]


def leave_out_lost_references(
    standing: RosterState, drop: RosterState, known: LedgerFrames, elsewhere: Elsewhere
) -> tuple[RosterState, Findings]:
    """Return the records to send without references to what is gone, and report how many had some.

    `standing` is the `drop` with the unsent records. A record that needs what is gone is left out.
    `elsewhere` returns the ids of some entities outside the feed to which records may refer.
    """
    found = dict(standing)
    left_out: dict[str, pl.Series] = {}
    count = 0
    for name in (name for name in ENTITIES if name in standing):
        unsent = _unsent_rows(standing[name], drop.get(name))
        for column in standing[name].entity.references if unsent.height else ():
            valid = _valid_ids(column.refers or "", found, known, elsewhere)
            gone = left_out.get(column.refers or "")
            lost = _lost(column, unsent, valid, gone)
            if not lost.height:
                continue
            count += lost["sourcedId"].n_unique()
            if found[name].entity.needs(column):
                unsent = unsent.filter(~pl.col(ROW).is_in(lost[ROW].implode()))
                left_out[name] = pl.concat(
                    [left_out.get(name, lost["sourcedId"]), lost["sourcedId"]]
                )
                rows = found[name].accepted.filter(~pl.col(ROW).is_in(lost[ROW].implode()))
            else:
                rows = without_references(found[name].accepted, column, lost)
            found[name] = replace(found[name], accepted=rows)
    return found, file_finding("reference_gone", "", count=count) if count else Findings()


def _unsent_rows(records: EntityRecords, drop: EntityRecords | None) -> pl.DataFrame:
    if drop is None:
        return records.accepted
    return records.accepted.filter(~pl.col("sourcedId").is_in(drop.accepted["sourcedId"].implode()))


def _valid_ids(
    refers: str, standing: RosterState, known: LedgerFrames, elsewhere: Elsewhere
) -> pl.Series | None:
    """Return all ids that a reference may have; None if nobody can say."""
    records = standing.get(refers)
    if records is None or records.mode != "bulk" or records.blurred:
        return None
    ids: Iterable[pl.Series] = (
        records.accepted["sourcedId"],
        records.refused["sourcedId"],
        records.withheld["sourcedId"],
        in_target(known, refers),
        *elsewhere([refers]).values(),
    )
    return pl.concat(ids)


def _lost(
    column: Column, rows: pl.DataFrame, valid: pl.Series | None, gone: pl.Series | None
) -> pl.DataFrame:
    """Return the references (`#row`, `sourcedId`, `value`) to records that are nowhere."""
    cell = pl.col(column.name)
    values = rows.select(ROW, "sourcedId", value=cell.str.split(",") if column.is_list else cell)
    if column.is_list:
        values = values.explode("value")
    lost = pl.lit(value=False)
    if valid is not None:
        lost |= ~pl.col("value").is_in(valid.implode())
    if gone is not None:
        lost |= pl.col("value").is_in(gone.implode())
    return values.drop_nulls("value").filter(lost)
