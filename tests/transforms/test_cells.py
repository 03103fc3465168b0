"""What one table shows: one pass over it finds the checks that pandera then runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing.cells import VALUES
from transforms.checks.cells import check_table
from transforms.checks.pandera_rows import rows_that_fail
from transforms.checks.table_schema import (
    CellChecks,
    FrameCheck,
    complete_rows,
    find_suspects,
    table_schema,
)
from transforms.findings import ROW
from transforms.roster import SnapshotMode, Table
from transforms.schemas import ENTITIES, Entity, RowRule
from transforms.schemas.columns import date as day
from transforms.schemas.columns import lifecycle

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 24)
GOOD = (
    "a1",
    "true",
    "2026-09-01",
    "2027",
    "05,06",
    "student",
    "{LDAP:12}",
    "7",
    "2026-09-01T00:00:00.000Z",
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Draw a table of any entity with any cells, most of them blank."""
    entity = ENTITIES[draw(st.sampled_from(sorted(ENTITIES)))]
    names = [column.name for column in entity.current]
    cell = st.one_of(
        st.none(), st.sampled_from(GOOD), st.sampled_from(GOOD), st.sampled_from(VALUES)
    )
    filled = draw(st.sets(st.sampled_from(names), min_size=1))
    height = draw(st.integers(0, 4))
    cells = {
        name: draw(st.lists(cell, min_size=height, max_size=height))
        if name in filled
        else [None] * height
        for name in names
    }
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String)).with_row_index(ROW, 1)
    mode: SnapshotMode = draw(st.sampled_from(["bulk", "delta"]))
    return Table(entity, frame, entity.file, mode, said=frozenset(filled))


def broken(
    checks: Sequence[FrameCheck] | Sequence[CellChecks], frame: pl.DataFrame
) -> list[tuple[str, str, list[int]]]:
    """Give (rule, column, rows) of each check that fails."""
    failures = rows_that_fail(checks, frame)
    return [(one.rule, one.column, one.rows[ROW].to_list()) for one in failures]


@given(tables(), st.booleans())
def test_one_pass_finds_what_pandera_finds(table: Table, strict: bool) -> None:
    """Each failure, in the same order, as if pandera had run every check of every column."""
    schema, complete = table_schema(table, strict, TODAY), complete_rows(table.frame, strict)
    every_cell = tuple(schema.cells.values())

    suspected = find_suspects(schema, table.frame, complete)

    assert broken(schema.table, table.frame) == broken(suspected.table, table.frame)
    assert broken(every_cell, complete) == broken(suspected.cells, complete)
    assert broken(schema.rules, table.frame) == broken(suspected.rules, table.frame)
    assert {column for _, column, _ in broken(suspected.cells, complete)} == {
        one.column for one in suspected.cells
    }


def test_a_table_without_a_fault_suspects_nothing() -> None:
    """So that most tables cost one pass."""
    frame = pl.DataFrame({"sourcedId": ["c1"], "title": ["Homework"]}).with_row_index(ROW, 1)
    blank = [
        pl.lit(None, pl.String).alias(name) for name in ("status", "dateLastModified", "weight")
    ]
    table = Table(ENTITIES["categories"], frame.with_columns(blank), "categories.csv", "bulk")

    suspected = find_suspects(table_schema(table, False, TODAY), table.frame, table.frame)

    assert ((), (), ()) == (suspected.table, suspected.cells, suspected.rules)


TRIPS = Entity(
    "trips",
    "trip",
    "rostering",
    (*lifecycle("Id of the trip."), day("startDate", "First day.")),
    "An entity of this test.",
    rules=(
        RowRule(
            "period_empty",
            "startDate",
            lambda run: pl.col("startDate") > pl.lit(run.today.isoformat()),
        ),
    ),
)


def trips(*days: str) -> Table:
    """Give a table of trips that begin on these days."""
    blank = [pl.lit(None, pl.String).alias(name) for name in ("status", "dateLastModified")]
    frame = pl.DataFrame(
        {"sourcedId": [f"t{number}" for number in range(len(days))], "startDate": days}
    )
    return Table(TRIPS, frame.with_columns(blank).with_row_index(ROW, 1), "trips.csv", "bulk")


def test_a_rule_may_depend_on_the_day_of_the_run() -> None:
    """It is declared in the entity alone."""
    _, _, found = check_table(trips("2026-11-23", "2026-11-25"), strict=False, today=TODAY)

    assert [((1, "2026-11-23"),)] == [notice.examples for one in found for notice in one.notices]


def test_a_rule_that_needs_the_day_is_never_skipped() -> None:
    """A roster that does not say its day cannot be judged by it."""
    with pytest.raises(ValueError, match="`today`"):
        check_table(trips("2026-11-23"), strict=False, today=None)


@pytest.mark.parametrize("size", [255, 256])
@pytest.mark.parametrize(
    "cell", ["7", "a/b", "-a", "...", "#REF!", "1E+05", "", "x (given up)", "a:b", "\u00e9", "x"]
)
def test_one_test_of_an_id_stands_for_all_of_them(cell: str, size: int) -> None:
    """It suspects a cell if, and only if, the cell breaks a rule about ids; also at the longest length."""
    schema = table_schema(trips("2026-09-01"), False, TODAY)
    ids = pl.DataFrame({"sourcedId": [cell * size if cell == "x" else cell]})

    suspected = ids.select(schema.may_fail["sourcedId"]).item()

    holds = schema.cells["sourcedId"].holds.values()
    assert suspected is not all(one(ids.lazy()).collect().item() for one in holds)


@pytest.mark.parametrize(("ids", "expected"), [(("A1", "b2"), []), (("A1", "a1"), ["id_case"])])
def test_ids_that_differ_only_in_case_are_reported(
    ids: tuple[str, str], expected: list[str]
) -> None:
    """Capitals alone are no fault."""
    table = trips("2026-11-25", "2026-11-25")
    table = replace(table, frame=table.frame.with_columns(sourcedId=pl.Series(ids)))

    _, _, found = check_table(table, strict=False, today=TODAY)

    assert expected == [notice.rule for one in found for notice in one.notices]


@pytest.mark.parametrize(
    ("rest", "strict", "expected"),
    [
        (False, False, [("fraction", 2), ("integer", 3)]),
        (False, True, [("fraction", 2), ("integer", 3)]),
        (True, False, [("integer", 3)]),
        (True, True, [("integer", 3)]),
    ],
)
def test_a_fraction_is_read_as_the_rest_binding_has_it(
    rest: bool, strict: bool, expected: list[tuple[str, int]]
) -> None:
    """Files have whole numbers, so there it is reported; only under `--strict` is it an error."""
    weights = {"weight": ["33", "33.33", "a third"], "title": ["Quizzes", "Tests", "Essays"]}
    blank = [pl.lit(None, pl.String).alias(name) for name in ("status", "dateLastModified")]
    frame = pl.DataFrame({"sourcedId": ["k1", "k2", "k3"]} | weights).with_columns(blank)
    table = Table(
        ENTITIES["categories"], frame.with_row_index(ROW, 1), "categories.csv", "bulk", rest=rest
    )

    _, _, found = check_table(table, strict=strict, today=TODAY)

    errors = [row for one in found for row in one.errors.select("rule", "row").iter_rows()]
    notices = [(one.rule, one.examples[0][0]) for part in found for one in part.notices]
    assert expected == sorted(errors + notices)
    assert (not rest and not strict) == bool(notices)


def test_a_table_without_a_fault_does_not_import_pandera() -> None:
    """Nor what pandera imports: that takes longer than the check of a small drop."""
    code = """
import sys
import polars as pl
from datetime import date
from transforms.checks.cells import check_table
from transforms.findings import ROW
from transforms.roster import Table
from transforms.schemas import ENTITIES
names = ("sourcedId", "title", "status", "dateLastModified", "weight")
for title in ("Homework", None):
    row = pl.DataFrame([["c1"], [title], [None], [None], [None]], dict.fromkeys(names, pl.String))
    table = Table(ENTITIES["categories"], row.with_row_index(ROW, 1), "categories.csv", "bulk")
    check_table(table, False, date(2026, 11, 24))
    print(title, "pandera" in sys.modules)
"""
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "Homework False\nNone True\n" == said.stdout
