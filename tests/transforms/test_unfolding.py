"""JSON values become the cells that they were made of."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.strategies import CARRIED, rows_of
from tests.rosters import Row
from transforms.from_json.records import Unreadable, cell_text, metadata_cells
from transforms.payload import json_records
from transforms.schemas import ENTITIES

RECORDS = st.sampled_from([name for name in CARRIED if name != "roles"]).flatmap(
    lambda name: st.tuples(st.just(name), rows_of(name, "x"))
)
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=9)
VALUES = st.recursive(
    st.booleans() | st.integers(-(10**9), 10**9) | TEXT,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "x y"]), inner, min_size=1),
    max_leaves=6,
)  # fmt: skip


@given(RECORDS)
def test_a_record_comes_back_as_it_was(drawn: tuple[str, Row]) -> None:
    """Of every entity, each column by its kind."""
    name, row = drawn
    entity, given_cells = ENTITIES[name], {column: text for column, text in row.items() if text}

    body = next(json_records(entity, pl.DataFrame(given_cells)))

    assert given_cells == {
        column: cell_text(entity[column], body[entity[column].json]) for column in given_cells
    }


@given(st.dictionaries(st.sampled_from(["bus", "goals", "7"]), VALUES, min_size=1))
def test_metadata_comes_back_as_it_was(metadata: dict[str, Any]) -> None:
    """Numbers, texts that look like numbers, lists, and objects with names that no column can have."""
    cells = metadata_cells(metadata)

    body = next(json_records(ENTITIES["users"], pl.DataFrame({"sourcedId": "ana"} | cells)))

    assert metadata == body["metadata"]


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("users.enabledUser", True, "true"),
        ("users.enabledUser", "false", "false"),
        ("users.identifier", 123, "123"),
        ("users.grades", "05", "05"),
        ("users.userIds", [], None),
        ("users.email", None, None),
        (
            "users.agentSourcedIds",
            [
                {"sourcedId": "mum", "href": "https://sis.example.edu/users/mum", "type": "user"},
                "dad",
            ],
            "mum,dad",
        ),
        ("courses.subjects", ["Reading, Writing", "Math"], "Reading, Writing,Math"),
        ("courses.schoolYearSourcedId", {"sourcedId": "y"}, "y"),
        ("academicSessions.schoolYear", 2027, "2027"),
        ("categories.weight", 12.5, "12.5"),
        ("results.score", 10.0, "10"),
    ],
)
def test_values_come_in_several_forms(column: str, value: object, text: str | None) -> None:
    """As the standard spells them, and as servers are known to."""
    entity, name = column.split(".")

    assert text == cell_text(ENTITIES[entity][name], value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("users.email", {"home": "ana@example.edu"}),
        ("users.agentSourcedIds", [{"href": "https://sis.example.edu/users/mum"}]),
        ("users.agentSourcedIds", ["mum,dad"]),
        ("users.userIds", ["LDAP:12"]),
        ("users.userIds", [{"type": "LDAP"}]),
    ],
)
def test_what_is_of_no_known_form_is_not_guessed(column: str, value: object) -> None:
    """Its record is refused instead."""
    entity, name = column.split(".")

    with pytest.raises(Unreadable):
        cell_text(ENTITIES[entity][name], value)


def test_blank_metadata_is_no_cell() -> None:
    """Nor is what is blank in it."""
    assert ({}, {"metadata.bus": "north"}) == (
        metadata_cells({}),
        metadata_cells({"bus": "north", "goals": "", "locker": None}),
    )


@pytest.mark.parametrize("metadata", ["text", {"a b": 1}, {"a.b": 1}])
def test_metadata_that_no_column_can_hold_is_not_guessed(metadata: object) -> None:
    """Columns have no spaces, and dots lead into objects."""
    with pytest.raises(Unreadable):
        metadata_cells(metadata)
