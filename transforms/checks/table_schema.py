"""The pandera schema of a table: every check that needs one table only, derived from its entity.

Pandera columns check cells: required values, vocabularies, types, lengths. Pandera checks of the
frame find repeated ids, and check the rules about several columns of a row. Checks that need
another table or the ledger are plain polars: `references.py`, `classes.py`, `parts.py`.

Pandera runs one check after the other. Each costs a pass over the table, and at least a quarter of
a millisecond, and most checks fail nowhere. `suspects` therefore evaluates all checks of a table in
one polars pass first, with the same expressions. `failures` then runs only those that may fail. If
nothing is wrong, the cells of a district of 16 people take 3 ms this way, and 40 ms check by check.

Pandera reads the values of a collected frame only. In a lazy frame it checks names and types.

Source: OneRoster 1.2 CSV Binding, section 3 (data types; reference section 1.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

import pandera.polars as pa
import polars as pl

from transforms.findings import ROW
from transforms.moments import parse_date
from transforms.roster import SnapshotMode, Table
from transforms.schemas import LIFECYCLE, Column, Entity, RowRule
from transforms.schemas.entity import BRACES, GIVEN_UP, NO_ID, Kind, RuleContext

GUID = r"^[0-9A-Za-z.\-_/@]+$"
# Cells that no setting makes an id: no ids at all, and ids that are too long.
NOT_AN_ID = rf"^(?:{NO_ID}|.*{re.escape(GIVEN_UP)}|.{{256,}})$"
EXTENSION_TOKEN = r"^ext:[A-Za-z0-9.\-_]+$"
# Never `\d`: in polars it matches the digits of every script.
DATETIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z$"
_MONTH, _DAY = "(0?[1-9]|1[0-2])", "(0?[1-9]|[12][0-9]|3[01])"
# Days such as 3/4/2026, which can be read if the feed file says `date_order`.
DAY_AND_MONTH = (
    rf"^({_MONTH}[-/.] ?{_DAY}|{_DAY}[-/.] ?{_MONTH})[-/.] ?([0-9]{{2}}|[0-9]{{4}})"
    r"([T ](0?0:00|12:00)(:00(\.0+)?)?( ?AM)?Z?)?$"
)
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_PAIR = r"\{[^:{}]+:[^{}]+\}"
# Blank items violate another rule.
PAIRS = rf"^({_PAIR})?(,({_PAIR})?)*$"
CAPITAL = "[A-Z]"
UNIQUE_ID, ONE_CASE, BLANK_IN_BULK = "conflict", "id_case", "status_in_bulk"

Test = Callable[[pl.Expr], pl.Expr]
Holds = Callable[[pa.PolarsData], pl.LazyFrame | bool]
ID, DELETES_RECORD = pl.col("sourcedId"), pl.col("status").eq_missing("tobedeleted")


@dataclass(frozen=True, eq=False)
class FrameCheck:
    """A check that reads several columns of a row, or several rows."""

    check: pa.Check  # its name is the rule; its title is the column where a violation is reported
    may_fail: pl.Expr  # one value for a table: false only if every row passes


@dataclass(frozen=True)
class TableSchema:
    """The checks for the rows of an entity."""

    table: tuple[FrameCheck, ...]  # ids, and what a bulk file must leave blank
    cells: dict[str, pa.Column]
    rules: tuple[FrameCheck, ...]  # about several columns of a row
    may_fail: dict[str, pl.Expr]  # by column, one value: whether any cell fails
    may_fail_blank: dict[str, pl.Expr]  # the same, for columns that are completely blank


@dataclass(frozen=True)
class Suspects:
    """The checks of a `TableSchema` that may fail in one table."""

    table: pa.DataFrameSchema
    cells: pa.DataFrameSchema
    rules: pa.DataFrameSchema

    @property
    def repeated_ids(self) -> bool:
        """Whether an id may occur twice."""
        return any(check.name == UNIQUE_ID for check in self.table.checks)


@dataclass(frozen=True)
class CheckFailure:
    """The rows that fail a check."""

    rule: str
    column: str
    rows: pl.DataFrame


@cache
def warm_up() -> None:
    """Make pandera load the modules of its first validation, which takes as long as many checks."""
    pa.DataFrameSchema({ROW: pa.Column(pl.UInt32)}).validate(pl.DataFrame(schema={ROW: pl.UInt32}))


def table_schema(table: Table, strict: bool, today: date | None) -> TableSchema:
    """Return the schema of a table; equal ones are built once."""
    said = table.said.intersection(LIFECYCLE)
    return _schema(table.entity, table.mode, strict, table.rest, said, today)


def find_suspects(schema: TableSchema, frame: pl.DataFrame, complete: pl.DataFrame) -> Suspects:
    """Return the checks that may fail, found in one pass.

    `complete` are the rows of `frame` that must be complete: see `complete_rows`.
    """
    cells = {}
    for name in schema.cells:
        is_blank = complete[name].null_count() == complete.height
        flags = schema.may_fail_blank if is_blank else schema.may_fail
        if name in flags:
            cells[name] = flags[name]
    checks = {str(at): one for at, one in enumerate((*schema.table, *schema.rules))}
    failing = [
        checks[at] for at in _true_flags(frame, {at: one.may_fail for at, one in checks.items()})
    ]
    return Suspects(
        pa.DataFrameSchema(checks=[one.check for one in schema.table if one in failing]),
        pa.DataFrameSchema({name: schema.cells[name] for name in _true_flags(complete, cells)}),
        pa.DataFrameSchema(checks=[one.check for one in schema.rules if one in failing]),
    )


def validate(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> list[CheckFailure]:
    """Validate a table with pandera, and return the rows that fail, check by check."""
    if not schema.checks and not schema.columns:
        return []
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return [_failure(error, frame) for error in errors.schema_errors]
    return []


def columns_read(failure: CheckFailure, entity: Entity) -> list[str]:
    """Return the columns that the rule about rows reads which a failure breaks."""
    # Which columns a rule reads does not depend on the day.
    holds = (
        rule.holds(RuleContext(date.min))
        for rule in entity.rules
        if (rule.rule, rule.column) == (failure.rule, failure.column)
    )
    return [name for one in holds for name in one.meta.root_names()]


def complete_rows(frame: pl.DataFrame, strict: bool) -> pl.DataFrame:
    """Return the rows that must be complete.

    Rows that only delete their record may be incomplete, except under `--strict`.
    """
    if strict or frame["status"].null_count() == frame.height:
        return frame
    return frame.filter(~DELETES_RECORD | ID.is_null())


def _true_flags(frame: pl.DataFrame, flags: dict[str, pl.Expr]) -> list[str]:
    """Return the names of the flags that are true for a frame."""
    values = frame.select(flag.alias(name) for name, flag in flags.items()).row(0, named=True)
    return [name for name, value in values.items() if value]


def _failure(error: pa.errors.SchemaError, frame: pl.DataFrame) -> CheckFailure:
    rows = frame.filter(~error.check_output.to_series())
    # "not_nullable" is the only check here that is built into pandera.
    if isinstance(error.check, str):
        column = error.schema.name
        return CheckFailure("delta_required" if column in LIFECYCLE else "required", column, rows)
    return CheckFailure(error.check.name, error.check.title, rows)


@lru_cache(maxsize=512)
def _schema(
    entity: Entity,
    mode: SnapshotMode,
    strict: bool,
    rest: bool,
    said: frozenset[str],
    today: date | None,
) -> TableSchema:
    tests = {column: _tests(column, mode, strict, rest) for column in entity.current}
    blank = {
        column.name: pl.col(column.name).is_null()
        for column in tests
        if _is_required(column, mode, strict)
    }
    fails = {
        column.name: [~_passes(column, test) for test in found.values()]
        for column, found in tests.items()
    }
    for name, is_blank in blank.items():
        fails[name].append(is_blank)
    in_bulk = [name for name in LIFECYCLE if mode == "bulk" and name in said]
    return TableSchema(
        (
            FrameCheck(
                _check(UNIQUE_ID, "sourcedId", _ids_differ),
                ID.drop_nulls().hash().n_unique() < ID.count(),
            ),
            FrameCheck(
                _check(ONE_CASE, "sourcedId", _ids_differ_without_case),
                ID.str.contains(CAPITAL).any(),
            ),
            *(_row_check(BLANK_IN_BULK, name, pl.col(name).is_null()) for name in in_bulk),
        ),
        {
            column.name: _cell_checks(column, found, column.name in blank)
            for column, found in tests.items()
        },
        tuple(_row_check(rule.rule, rule.column, _follows(rule, today)) for rule in entity.rules),
        {name: pl.any_horizontal(flags).any() for name, flags in fails.items() if flags},
        {name: is_blank.any() for name, is_blank in blank.items()},
    )


def _cell_checks(column: Column, tests: dict[str, Test], required: bool) -> pa.Column:
    checks = [
        _check(rule, column.name, _selected(_passes(column, test))) for rule, test in tests.items()
    ]
    return pa.Column(pl.String, nullable=not required, checks=checks)


def _row_check(rule: str, column: str, holds: pl.Expr) -> FrameCheck:
    return FrameCheck(_check(rule, column, _selected(holds)), (~holds).any())


def _check(rule: str, column: str, holds: Holds) -> pa.Check:
    """Return a check. Pandera copies only one failure case: the output tells which rows fail."""
    return pa.Check(holds, name=rule, error=rule, title=column, n_failure_cases=1)


def _selected(holds: pl.Expr) -> Holds:
    return lambda data: data.lazyframe.select(holds)


def _follows(rule: RowRule, today: date | None) -> pl.Expr:
    """Tell whether a row follows a rule about several columns, or only deletes its record."""
    return rule.holds(RuleContext(today)) | DELETES_RECORD


def _ids_differ(data: pa.PolarsData) -> pl.LazyFrame:
    """Tell whether a row's id is unique; a row without an id violates another rule."""
    return data.lazyframe.select(ID.is_null() | ID.is_unique())


def _ids_differ_without_case(data: pa.PolarsData) -> pl.LazyFrame | bool:
    """Tell whether no other id differs from a row's only in case.

    The standard distinguishes such ids, and some targets may not.
    """
    ids = data.lazyframe.select(ID).collect().to_series().drop_nulls()
    folded = ids.str.to_lowercase()
    # If all hashes differ, so do the ids. This takes a quarter of the time.
    if folded.hash().n_unique() == ids.len() or folded.n_unique() == ids.n_unique():
        return True
    spellings = pl.DataFrame({"id": ids, "folded": folded}).unique()
    ambiguous = spellings.filter(spellings["folded"].is_duplicated())["id"]
    return data.lazyframe.select(~ID.is_in(ambiguous.implode()))


def _is_required(column: Column, mode: SnapshotMode, strict: bool) -> bool:
    return (
        column.required
        or (strict and column.required_strict)
        or (mode == "delta" and column.name in LIFECYCLE)
    )


def _tests(column: Column, mode: SnapshotMode, strict: bool, rest: bool) -> dict[str, Test]:
    """Return the tests that each value of a column must pass, by rule.

    A snapshot is compared with the records that were sent, so its `dateLastModified` does not
    matter. There it can only violate `status_in_bulk`. `rest`: values have the types of the REST
    binding.
    """
    if column.name == "dateLastModified" and mode != "delta" and not strict:
        return {}
    if column.values:
        rule = "boolean" if column.kind == "boolean" else "vocabulary"
        return {rule: _for_items(_in_vocabulary(column), column.is_list)}
    tests = {
        rule: _for_items(test, column.is_list and column.kind not in BRACES)
        for rule, test in KINDS.get(column.kind, {}).items()
    }
    if column.rest == "number":
        tests = {column.kind: _number} | ({} if rest else {"fraction": _whole})
    if column.kind == "date" and not strict:
        # Under `--strict` no date is read in another order.
        tests = {
            "date": _for_distinct(_readable_date),
            "date_order": lambda cell: ~cell.str.contains(DAY_AND_MONTH),
        }
    if column.is_list:
        blank_item = r"^,|\},\s*,|,$" if column.kind in BRACES else r"(^|,)\s*(,|$)"
        tests["list"] = lambda cell: ~cell.str.contains(blank_item)
    return tests


def _passes(column: Column, test: Test) -> pl.Expr:
    """Tell whether a cell passes a test; a blank cell does."""
    cell = pl.col(column.name)
    return test(cell) | cell.is_null()


def _in_vocabulary(column: Column) -> Test:
    values = pl.Series(column.values)
    if not column.extensible:
        return lambda cell: cell.is_in(values.implode())
    return lambda cell: cell.is_in(values.implode()) | cell.str.contains(EXTENSION_TOKEN)


def _for_items(test: Test, is_list: bool) -> Test:
    """Apply a test to each item of a list; blank items violate another rule."""
    if not is_list:
        return test
    passes = test(pl.element()) | (pl.element() == "")
    return lambda cell: cell.str.split(",").list.eval(passes).list.all()


def _for_distinct(test: Test) -> Test:
    """Apply a test to each distinct value once: columns of dates have few."""

    def passes(cells: pl.Series) -> pl.Series:
        values = cells.unique()
        passing = values.to_frame("value").filter(test(pl.col("value")))["value"]
        return cells.is_in(passing.implode())

    return lambda cell: cell.map_batches(passes, return_dtype=pl.Boolean, is_elementwise=True)


def _date(cell: pl.Expr) -> pl.Expr:
    return parse_date(cell).is_not_null()


def _readable_date(cell: pl.Expr) -> pl.Expr:
    """Tell whether a cell is a date, or would be one if the order of its parts were known."""
    return _date(cell) | cell.str.contains(DAY_AND_MONTH)


def _datetime(cell: pl.Expr) -> pl.Expr:
    return cell.str.contains(DATETIME) & parse_date(cell.str.head(10)).is_not_null()


def _number(cell: pl.Expr) -> pl.Expr:
    return cell.str.contains(NUMBER)


def _integer(cell: pl.Expr) -> pl.Expr:
    return cell.str.contains(r"^[+-]?[0-9]+$")


def _whole(cell: pl.Expr) -> pl.Expr:
    """Tell whether a cell is no fraction; what is no number violates another rule."""
    return _integer(cell) | ~_number(cell)


def _id_characters(cell: pl.Expr) -> pl.Expr:
    """Tell whether a cell has only characters of ids; what is no id violates another rule."""
    return cell.str.contains(GUID) | ~_id(cell)


def _id(cell: pl.Expr) -> pl.Expr:
    """Tell whether a cell is an id, or would be one with other characters."""
    return ~cell.str.contains(NOT_AN_ID) & (cell.str.len_bytes() > 0)


KINDS: dict[Kind, dict[str, Test]] = {
    "guid": {"guid": _id_characters, "no_id": _id},
    "reference": {"guid": _id_characters, "no_id": _id},
    "references": {"guid": _id_characters, "no_id": _id},
    "date": {"date": _date},
    "datetime": {"datetime": _datetime},
    "year": {"year": lambda cell: cell.str.contains(r"^[0-9]{4}$")},
    "integer": {"integer": _integer},
    "number": {"number": _number},
    "user_ids": {"user_ids": lambda cell: cell.str.contains(PAIRS)},
    "score_scale": {"score_scale": lambda cell: cell.str.contains(PAIRS)},
}
