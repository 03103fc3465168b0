"""Cells against their column's kind: one pass over a table finds the columns that pandera then explains."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing.cells import VALUES
from transforms.checks.cells import cell_findings, findings_of, suspects
from transforms.findings import ROW, Findings
from transforms.roster import Mode, Table
from transforms.schemas import ENTITIES

GOOD = ("a1", "true", "2026-09-01", "2027", "05,06", "student", "{LDAP:12}", "7", "2026-09-01T00:00:00.000Z")


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Draw a table of any entity with any cells, most of them blank."""
    entity = ENTITIES[draw(st.sampled_from(sorted(ENTITIES)))]
    names = [column.name for column in entity.current]
    cell = st.one_of(st.none(), st.sampled_from(GOOD), st.sampled_from(GOOD), st.sampled_from(VALUES))
    filled = draw(st.sets(st.sampled_from(names), min_size=1))
    height = draw(st.integers(0, 4))
    cells = {name: draw(st.lists(cell, min_size=height, max_size=height)) if name in filled else [None] * height for name in names}  # fmt: skip
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String)).with_row_index(ROW, 1)
    mode: Mode = draw(st.sampled_from(["bulk", "delta"]))
    return Table(entity, frame, f"{entity.file}.csv", mode)


def told(findings: list[Findings]) -> list[tuple[object, ...]]:
    """Give the errors as rows."""
    return [row for one in findings for row in one.errors.rows()]


@given(tables(), st.booleans())
def test_one_pass_finds_what_pandera_finds(table: Table, strict: bool) -> None:
    """Each error of each cell, in the same order, as if pandera had checked every column."""
    everything = [column.name for column in table.entity.current]

    assert told(findings_of(table, everything, strict)) == told(cell_findings(table, strict))
    assert {row[4] for row in told(findings_of(table, everything, strict))} == set(suspects(table, strict))
