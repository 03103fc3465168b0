"""Cells: each value of each row against its column's kind, by pandera; every error of every row.

Source: OneRoster 1.2 CSV Binding, section 3 (data types; reference section 1.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import pandera.polars as pa
import polars as pl

from transforms.findings import ERRORS, ROW, Findings, of_rows
from transforms.roster import Mode, Table
from transforms.schemas import Column, Entity
from transforms.schemas.entity import Kind

GUID = r"^[0-9A-Za-z.\-_/@]{1,255}$"
EXTENSION = r"^ext:[A-Za-z0-9.\-_]+$"
DATETIME = r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z$"
LIFECYCLE = ("status", "dateLastModified")
Test = Callable[[pl.Expr], pl.Expr]


@cache
def prepare() -> None:
    """Let pandera load what it loads when it first validates, which takes as long as many a check."""
    pa.DataFrameSchema({ROW: pa.Column(pl.UInt32)}).validate(pl.DataFrame(schema={ROW: pl.UInt32}))


def cell_findings(table: Table, strict: bool) -> list[Findings]:
    """Check the cells of a table; `table.frame` must be collected, since pandera checks a lazy frame's names only."""
    columns = suspects(table, strict)
    return findings_of(table, columns, strict) if columns else []


def suspects(table: Table, strict: bool) -> list[str]:
    """Name the columns in which any cell breaks a rule, in one pass over the table; pandera needs a pass for each column."""
    blank = {name for name in table.frame.columns if table.frame[name].null_count() == table.frame.height}
    breaches = {
        column.name: list(_breaches(column, table.mode, strict, column.name in blank))
        for column in table.entity.current
    }
    hits = table.frame.select(pl.any_horizontal(some).any().alias(name) for name, some in breaches.items() if some)
    return [name for name, hit in hits.row(0, named=True).items() if hit] if hits.width else []


def findings_of(table: Table, columns: Sequence[str], strict: bool) -> list[Findings]:
    """Let pandera check some columns of a table, each of them whole."""
    try:
        _schema(table.entity, table.mode, strict, frozenset(columns)).validate(table.frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return [_errors(table, errors.failure_cases)]
    return []


@cache
def _schema(entity: Entity, mode: Mode, strict: bool, columns: frozenset[str]) -> pa.DataFrameSchema:
    """Give the schema of some columns of a file."""
    return pa.DataFrameSchema(
        {column.name: _pandera(column, mode, strict) for column in entity.current if column.name in columns}
    )


def _pandera(column: Column, mode: Mode, strict: bool) -> pa.Column:
    checks = [_check(rule, test) for rule, test in _asked(column, mode, strict).items()]
    return pa.Column(pl.String, nullable=not _wanted(column, mode, strict), checks=checks)


def _check(rule: str, test: Test) -> pa.Check:
    def holds(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(_holds(pl.col(str(data.key)), test))

    return pa.Check(holds, name=rule, error=rule)


def _breaches(column: Column, mode: Mode, strict: bool, blank: bool) -> Iterator[pl.Expr]:
    """Say which cells break a rule; of a column that is blank throughout only whether it may be."""
    cell = pl.col(column.name)
    if _wanted(column, mode, strict):
        yield cell.is_null()
    for test in () if blank else _asked(column, mode, strict).values():
        yield ~_holds(cell, test)


def _wanted(column: Column, mode: Mode, strict: bool) -> bool:
    return column.required or (strict and column.required_strict) or (mode == "delta" and column.name in LIFECYCLE)


def _asked(column: Column, mode: Mode, strict: bool) -> dict[str, Test]:
    """The tests that each value must pass, by rule.

    When a row of a snapshot was changed, nobody asks: it is compared with what was sent. That it is filled is told.
    """
    unasked = column.name == "dateLastModified" and mode != "delta" and not strict
    return {} if unasked else _tests(column)


def _holds(cell: pl.Expr, test: Test) -> pl.Expr:
    return test(cell) | cell.is_null()


def _tests(column: Column) -> dict[str, Test]:
    """What each value must be, by the rule that it breaks if it is not; blank cells pass."""
    if column.values:
        rule = "boolean" if column.kind == "boolean" else "vocabulary"
        return {rule: lambda cell: _each(cell, _token(column), column.is_list)}
    return {rule: _listed(test, column.is_list) for rule, test in KINDS.get(column.kind, {}).items()} | (
        {"list": lambda cell: ~cell.str.contains(r"(^|,)\s*(,|$)")} if column.is_list else {}
    )


def _token(column: Column) -> Test:
    values = pl.Series(column.values)
    if not column.extensible:
        return lambda cell: cell.is_in(values.implode())
    return lambda cell: cell.is_in(values.implode()) | cell.str.contains(EXTENSION)


def _listed(test: Test, is_list: bool) -> Test:
    return lambda cell: _each(cell, test, is_list)


def _each(cell: pl.Expr, test: Test, is_list: bool) -> pl.Expr:
    """Hold a test against a value, or against each item of a list; blank items have a rule of their own."""
    if not is_list:
        return test(cell)
    items = cell.str.split(",")
    return items.list.eval(test(pl.element()) | (pl.element() == "")).list.all()


def _date(cell: pl.Expr) -> pl.Expr:
    return (cell.str.len_bytes() == len("2026-11-24")) & cell.str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _datetime(cell: pl.Expr) -> pl.Expr:
    return cell.str.contains(DATETIME) & cell.str.head(10).str.to_date("%Y-%m-%d", strict=False).is_not_null()


KINDS: dict[Kind, dict[str, Test]] = {
    "guid": {"guid": lambda cell: cell.str.contains(GUID)},
    "reference": {"guid": lambda cell: cell.str.contains(GUID)},
    "references": {"guid": lambda cell: cell.str.contains(GUID)},
    "date": {"date": _date},
    "datetime": {"datetime": _datetime},
    "year": {"year": lambda cell: cell.str.contains(r"^\d{4}$")},
    "integer": {"integer": lambda cell: cell.str.contains(r"^[+-]?\d+$")},
    "number": {"number": lambda cell: cell.str.contains(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")},
    "user_ids": {"user_ids": lambda cell: cell.str.contains(r"^\{[^:{}]+:[^{}]+\}$")},
    "score_scale": {"score_scale": lambda cell: cell.str.contains(r"^\{[^:{}]+:[^{}]+\}$")},
}


def _errors(table: Table, cases: pl.DataFrame) -> Findings:
    """Give pandera's failure cases as errors; a missing value is told by the rule that wants it."""
    told = cases.select(
        position=pl.col("index").cast(pl.UInt32),
        column=pl.col("column"),
        rule=pl.when(pl.col("check") != "not_nullable")
        .then("check")
        .otherwise(pl.when(pl.col("column").is_in(LIFECYCLE)).then(pl.lit("delta_required")).otherwise(pl.lit("required"))),
        value=pl.col("failure_case"),
    )  # fmt: skip
    rows = table.frame.select(ROW, "sourcedId").with_row_index("position")
    errors = told.join(rows, on="position", how="left", maintain_order="left").sort(ROW, maintain_order=True)
    return Findings(
        errors.select(
            file=pl.lit(table.file),
            row=pl.col(ROW),
            entity=pl.lit(table.entity.name),
            sourcedId=pl.col("sourcedId"),
            column="column",
            rule="rule",
            severity=pl.lit("error"),
            value="value",
        ).cast(ERRORS)  # type: ignore[arg-type]
    )


def lifecycle_findings(table: Table, strict: bool) -> list[Findings]:
    """Report `status` and `dateLastModified` that a bulk file fills, which the standard forbids."""
    if table.mode != "bulk":
        return []
    found = []
    for name in (name for name in LIFECYCLE if name in table.said):
        rows = table.frame.filter(pl.col(name).is_not_null())
        found.append(of_rows("status_in_bulk", rows, file=table.file, entity=table.entity.name, column=name, value=name, strict=strict))  # fmt: skip
    return found


def row_rule_findings(table: Table, strict: bool) -> list[Findings]:
    """Check the rules about several columns of one row."""
    found = []
    for rule in table.entity.rules:
        rows = table.frame.filter(~rule.holds().fill_null(value=True))
        found.append(of_rows(rule.rule, rows, file=table.file, entity=table.entity.name, column=rule.column, value=rule.column, strict=strict))  # fmt: skip
    return found
