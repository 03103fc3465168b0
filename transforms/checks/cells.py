"""Check one table by itself: validate its rows with its schema, and merge duplicates.

Pandera is imported where a row may be at fault: that takes as long as checking a small drop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from transforms.checks.table_schema import (
    CellChecks,
    CheckFailure,
    FrameCheck,
    columns_read,
    complete_rows,
    find_suspects,
    table_schema,
)
from transforms.findings import ROW, Findings, merge_findings, row_findings
from transforms.roster import Table
from transforms.schemas import Entity


def check_table(
    table: Table, strict: bool, today: date | None
) -> tuple[Table, int, list[Findings]]:
    """Return the table with exact duplicates merged, the number of duplicates, and all errors."""
    complete = complete_rows(table.frame, strict)
    suspected = find_suspects(table_schema(table, strict, today), table.frame, complete)
    found = []
    extra = 0
    if suspected.repeated_ids:
        table, duplicates = merge_duplicates(table)
        extra = duplicates.height
        complete = complete_rows(table.frame, strict)
        found.append(_findings(table, CheckFailure("duplicate", "sourcedId", duplicates), strict))
    found += [_findings(table, one, strict) for one in _failures(suspected.table, table.frame)]
    # Errors in cells are reported row by row, and within a row in the order of its columns.
    cells = merge_findings(
        _findings(table, one, strict) for one in _failures(suspected.cells, complete)
    )
    found.append(Findings(cells.errors.sort("row", maintain_order=True), cells.notices))
    found += [
        _findings(table, _of_sound_cells(one, table.entity, cells.errors), strict)
        for one in _failures(suspected.rules, table.frame)
    ]
    return table, extra, found


def _failures(
    checks: Sequence[FrameCheck] | Sequence[CellChecks], frame: pl.DataFrame
) -> list[CheckFailure]:
    if not checks:
        return []
    from transforms.checks.pandera_rows import rows_that_fail

    return rows_that_fail(checks, frame)


def _of_sound_cells(failure: CheckFailure, entity: Entity, errors: pl.DataFrame) -> CheckFailure:
    """Leave out the rows where a cell that the rule reads has an error of its own."""
    reads = columns_read(failure, entity)
    failed = errors.filter(pl.col("column").is_in(reads))["row"]
    return replace(failure, rows=failure.rows.filter(~pl.col(ROW).is_in(failed.implode())))


def _findings(table: Table, failure: CheckFailure, strict: bool) -> Findings:
    return row_findings(
        failure.rule,
        failure.rows,
        file=table.file,
        entity=table.entity.name,
        column=failure.column,
        value=failure.column,
        strict=strict,
    )


def merge_duplicates(table: Table) -> tuple[Table, pl.DataFrame]:
    """Return the table with exact duplicates merged, and the rows that were removed.

    Different rows with the same `sourcedId` stay: the schema refuses them as a conflict.
    """
    ids = table.frame["sourcedId"]
    several = table.frame.filter(ids.is_duplicated() & ids.is_not_null())
    kept = several.unique(
        [name for name in several.columns if name != ROW], keep="first", maintain_order=True
    )
    extra = several.join(kept.select(ROW), on=ROW, how="anti", maintain_order="left")
    frame = table.frame.join(extra.select(ROW), on=ROW, how="anti", maintain_order="left")
    return replace(table, frame=frame), extra
