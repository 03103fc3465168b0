"""The rows of a table that fail checks, found by pandera.

Pandera reads the values of a collected frame only. In a lazy frame it checks names and types.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandera.polars as pa
import polars as pl

from transforms.checks.table_schema import CellChecks, CheckFailure, FrameCheck, Holds
from transforms.schemas import LIFECYCLE


def rows_that_fail(
    checks: Sequence[FrameCheck] | Sequence[CellChecks], frame: pl.DataFrame
) -> list[CheckFailure]:
    """Return the rows of a table that fail, check by check."""
    of_frame = [
        _check(one.rule, one.column, one.holds) for one in checks if isinstance(one, FrameCheck)
    ]
    columns = {one.column: _column(one) for one in checks if isinstance(one, CellChecks)}
    try:
        pa.DataFrameSchema(columns, checks=of_frame).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return [_failure(error, frame) for error in errors.schema_errors]
    return []


def _column(cells: CellChecks) -> pa.Column:
    checks = [_check(rule, cells.column, holds) for rule, holds in cells.holds.items()]
    return pa.Column(pl.String, nullable=not cells.required, checks=checks)


def _check(rule: str, column: str, holds: Holds) -> pa.Check:
    """Return a check. Pandera copies only one failure case: the output tells which rows fail."""
    return pa.Check(
        lambda data: holds(data.lazyframe), name=rule, error=rule, title=column, n_failure_cases=1
    )


def _failure(error: pa.errors.SchemaError, frame: pl.DataFrame) -> CheckFailure:
    rows = frame.filter(~error.check_output.to_series())
    # "not_nullable" is the only check here that is built into pandera.
    if isinstance(error.check, str):
        column = error.schema.name
        return CheckFailure("delta_required" if column in LIFECYCLE else "required", column, rows)
    return CheckFailure(error.check.name, error.check.title, rows)
