"""The schema of a table: every check that needs one table only, derived from its entity.

Checks of cells: required values, vocabularies, types, lengths. Checks of the frame: repeated ids,
and the rules about several columns of a row. Checks that need another table or the ledger are
plain polars: `references.py`, `classes.py`, `parts.py`.

Pandera (`pandera_rows.py`) runs one check after the other. Each costs a pass over the table, and at
least a quarter of a millisecond, and most checks fail nowhere. `find_suspects` therefore evaluates
all checks of a table in one polars pass first, with the same expressions, and pandera runs only
those that may fail. If nothing is wrong, the cells of a district of 16 people take 3 ms this way,
and 40 ms check by check; pandera is not even imported.

Source: OneRoster 1.2 CSV Binding, section 3 (data types; reference section 1.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from transforms.moments import parse_date
from transforms.roster import SnapshotMode, Table
from transforms.schemas import LIFECYCLE, Column, Entity, RowRule
from transforms.schemas.entity import BRACES, GIVEN_UP, IDS, NO_ID, Kind, RuleContext

# With at least one letter or digit.
GUID = r"^[.\-_/@]*[0-9A-Za-z][0-9A-Za-z.\-_/@]*$"
LONGEST_ID = 255
# Cells that no setting makes an id: no ids at all, and ids that are too long.
NOT_AN_ID = rf"^(?:{NO_ID}|.*{re.escape(GIVEN_UP)}|.{{{LONGEST_ID + 1},}})$"
EXTENSION_TOKEN = r"^ext:[A-Za-z0-9.\-_]+$"
# Never `\d`: in polars it matches the digits of every script.
DATETIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z$"
# Days such as 3/4/2026: day and month in either order, then the year, and at most midnight.
DAY_AND_MONTH = re.compile(
    r"([0-9]{1,2})([-/.]) ?([0-9]{1,2})\2 ?([0-9]{4}|[0-9]{2})"
    r"(?:[T ](?:0?0:00|12:00)(?::00(?:\.0+)?)?(?: ?AM)?Z?)?"
)
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_PAIR = r"\{[^:{}]+:[^{}]+\}"
# Blank items violate another rule.
PAIRS = rf"^({_PAIR})?(,({_PAIR})?)*$"
UNIQUE_ID, ONE_CASE = "conflict", "id_case"
BLANK_IN_BULK, DELETED_IN_BULK = "status_in_bulk", "deleted_in_bulk"

Test = Callable[[pl.Expr], pl.Expr]
# Tells for each row of a table whether a check holds.
Holds = Callable[[pl.LazyFrame], pl.LazyFrame]
ID, DELETES_RECORD = pl.col("sourcedId"), pl.col("status").eq_missing("tobedeleted")


@dataclass(frozen=True, eq=False)
class FrameCheck:
    """A check that reads several columns of a row, or several rows."""

    rule: str
    column: str  # where a violation is reported
    holds: Holds
    may_fail: pl.Expr  # one value for a table: false only if every row passes


@dataclass(frozen=True, eq=False)
class CellChecks:
    """The checks of each cell of a column."""

    column: str
    required: bool
    holds: dict[str, Holds]  # by rule


@dataclass(frozen=True)
class TableSchema:
    """The checks for the rows of an entity."""

    table: tuple[FrameCheck, ...]  # ids, and what a bulk file must leave blank
    cells: dict[str, CellChecks]  # by column
    rules: tuple[FrameCheck, ...]  # about several columns of a row
    may_fail: dict[str, pl.Expr]  # by column, one value: whether any cell fails
    may_fail_blank: dict[str, pl.Expr]  # the same, for columns that are completely blank


@dataclass(frozen=True)
class Suspects:
    """The checks of a `TableSchema` that may fail in one table."""

    table: tuple[FrameCheck, ...]
    cells: tuple[CellChecks, ...]
    rules: tuple[FrameCheck, ...]

    @property
    def repeated_ids(self) -> bool:
        """Whether an id may occur twice."""
        return any(check.rule == UNIQUE_ID for check in self.table)


@dataclass(frozen=True)
class CheckFailure:
    """The rows that fail a check."""

    rule: str
    column: str
    rows: pl.DataFrame


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
        tuple(one for one in schema.table if one in failing),
        tuple(schema.cells[name] for name in _true_flags(complete, cells)),
        tuple(one for one in schema.rules if one in failing),
    )


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
        column.name: [~_passes(column, test) for test in _quick_tests(column, found)]
        for column, found in tests.items()
    }
    for name, is_blank in blank.items():
        fails[name].append(is_blank)
    return TableSchema(
        (
            FrameCheck(UNIQUE_ID, "sourcedId", _ids_differ, _distinct(ID) < ID.count()),
            FrameCheck(
                ONE_CASE,
                "sourcedId",
                _ids_differ_without_case,
                _distinct(ID.str.to_lowercase()) < _distinct(ID),
            ),
            *(_row_check(*check) for check in _lifecycle_checks(mode, strict, said)),
        ),
        {
            column.name: _cell_checks(column, found, column.name in blank)
            for column, found in tests.items()
        },
        tuple(_row_check(rule.rule, rule.column, _follows(rule, today)) for rule in entity.rules),
        {name: pl.any_horizontal(flags).any() for name, flags in fails.items() if flags},
        {name: is_blank.any() for name, is_blank in blank.items()},
    )


def _lifecycle_checks(
    mode: SnapshotMode, strict: bool, said: frozenset[str]
) -> Iterator[tuple[str, str, pl.Expr]]:
    """Yield what a bulk file must leave blank: rule, column, and the rows that follow the rule.

    A row that deletes its record is more than a filled cell, and is reported as that.
    """
    for name in (name for name in LIFECYCLE if mode == "bulk" and name in said):
        blank = pl.col(name).is_null()
        if name == "status" and not strict:
            yield DELETED_IN_BULK, name, ~DELETES_RECORD
            blank |= DELETES_RECORD
        yield BLANK_IN_BULK, name, blank


def _cell_checks(column: Column, tests: dict[str, Test], required: bool) -> CellChecks:
    holds = {rule: _selected(_passes(column, test)) for rule, test in tests.items()}
    return CellChecks(column.name, required, holds)


def _row_check(rule: str, column: str, holds: pl.Expr) -> FrameCheck:
    return FrameCheck(rule, column, _selected(holds), (~holds).any())


def _selected(holds: pl.Expr) -> Holds:
    return lambda frame: frame.select(holds)


def _follows(rule: RowRule, today: date | None) -> pl.Expr:
    """Tell whether a row follows a rule about several columns, or only deletes its record."""
    return rule.holds(RuleContext(today)) | DELETES_RECORD


def _ids_differ(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Tell whether a row's id is unique; a row without an id violates another rule."""
    return frame.select(ID.is_null() | ID.is_unique())


def _ids_differ_without_case(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Tell whether no other id differs from a row's only in case.

    The standard distinguishes such ids, and some targets may not.
    """
    spellings = ID.n_unique().over(ID.str.to_lowercase())
    return frame.select(ID.is_null() | (spellings == 1))


def _distinct(values: pl.Expr) -> pl.Expr:
    """Return how many values differ. Counting hashes takes a quarter of the time."""
    return values.drop_nulls().hash().n_unique()


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
            "date": _for_distinct(lambda cell: _date(cell) | _needs_order(cell)),
            "date_order": _for_distinct(lambda cell: ~_needs_order(cell)),
        }
    if column.is_list:
        blank_item = r"^,|\},\s*,|,$" if column.kind in BRACES else r"(^|,)\s*(,|$)"
        tests["list"] = lambda cell: ~cell.str.contains(blank_item)
    return tests


def _quick_tests(column: Column, tests: dict[str, Test]) -> list[Test]:
    """Return tests that a value passes only if it passes all of `tests`.

    Rosters are mostly ids, and nearly every id is plain: one test stands for two.
    """
    if column.kind not in IDS:
        return list(tests.values())
    others = (test for rule, test in tests.items() if rule not in ID_TESTS)
    return [_for_items(_plain_id, column.is_list), *others]


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


def _needs_order(cell: pl.Expr) -> pl.Expr:
    """Tell whether a cell is no date, and would be one if the order of its parts were known."""

    def needs(cells: pl.Series) -> pl.Series:
        candidates = cells.filter(cells.str.contains(r"^[0-9]{1,2}[-/.]")).unique()
        return cells.is_in([one for one in candidates if _is_day_in_some_order(one)])

    return cell.map_batches(needs, return_dtype=pl.Boolean, is_elementwise=True)


def _is_day_in_some_order(text: str) -> bool:
    match = DAY_AND_MONTH.fullmatch(text)
    if match is None:
        return False
    first, _, second, year = match.groups()
    whole = int(year) if len(year) == 4 else 2000 + int(year)
    return _exists(whole, int(first), int(second)) or _exists(whole, int(second), int(first))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


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


def _plain_id(cell: pl.Expr) -> pl.Expr:
    """Tell whether a cell is an id with characters of ids only: whether it passes `ID_TESTS`."""
    return cell.str.contains(GUID) & (cell.str.len_bytes() <= LONGEST_ID)


ID_TESTS: dict[str, Test] = {"guid": _id_characters, "no_id": _id}
KINDS: dict[Kind, dict[str, Test]] = {
    **dict.fromkeys(IDS, ID_TESTS),
    "date": {"date": _date},
    "datetime": {"datetime": _datetime},
    "year": {"year": lambda cell: cell.str.contains(r"^[0-9]{4}$")},
    "integer": {"integer": _integer},
    "number": {"number": _number},
    "user_ids": {"user_ids": lambda cell: cell.str.contains(PAIRS)},
    "score_scale": {"score_scale": lambda cell: cell.str.contains(PAIRS)},
}
