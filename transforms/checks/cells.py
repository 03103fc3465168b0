"""What one table shows: its rows validated by its pandera schema, every error of every row."""

from __future__ import annotations

from datetime import date

from transforms.checks.duplicates import merged
from transforms.checks.table_schema import Failure, complete_rows, failures, schema_of, suspects
from transforms.findings import Findings, gather, of_rows
from transforms.roster import Table


def table_findings(table: Table, strict: bool, today: date | None) -> tuple[Table, int, list[Findings]]:
    """Return the table with exact duplicates merged, how many rows those were, and what is wrong with its rows."""
    complete = complete_rows(table.frame, strict)
    suspected = suspects(schema_of(table, strict, today), table.frame, complete)
    found = []
    extra = 0
    if suspected.repeated_ids:
        table, duplicates = merged(table)
        extra, complete = duplicates.height, complete_rows(table.frame, strict)
        found.append(_findings(table, Failure("duplicate", "sourcedId", duplicates), strict))
    found += [_findings(table, one, strict) for one in failures(suspected.table, table.frame)]
    # Errors of cells are reported row by row, and those of one row in the order of its columns.
    cells = gather(_findings(table, one, strict) for one in failures(suspected.cells, complete))
    found.append(Findings(cells.errors.sort("row", maintain_order=True)))
    found += [_findings(table, one, strict) for one in failures(suspected.rules, table.frame)]
    return table, extra, found


def _findings(table: Table, failure: Failure, strict: bool) -> Findings:
    return of_rows(
        failure.rule,
        failure.rows,
        file=table.file,
        entity=table.entity.name,
        column=failure.column,
        value=failure.column,
        strict=strict,
    )
