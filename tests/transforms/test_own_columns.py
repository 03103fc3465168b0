"""A column of our own in one of the standard's files: one line in its entity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.judging import errors, judged, rules
from tests.rosters import Rows, changed, district
from transforms.export import export_roster
from transforms.payload import json_records
from transforms.schemas import ENTITIES
from transforms.schemas.columns import enum, ours, text
from transforms.schemas.dictionary import dictionary_page

HOUSE = "metadata.house"


@pytest.fixture(autouse=True)
def houses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare a house for each class, in these tests only."""
    classes = ENTITIES["classes"]
    house = ours(enum(HOUSE, ("otter", "heron"), "House to which the class belongs."))
    monkeypatch.setitem(ENTITIES, "classes", replace(classes, columns=(*classes.columns, house)))


def housed(house: str) -> Rows:
    """Give the district with a class in a house."""
    return changed(district(), "c1", **{HOUSE: house})


def test_it_is_read_and_sent_as_metadata(tmp_path: Path) -> None:
    """That is where OneRoster has room for it."""
    checked = judged(tmp_path, housed("otter"), strict=True)

    assert set() == rules(checked)
    body = next(iter(json_records(ENTITIES["classes"], checked.standing["classes"].accepted)))
    assert {"house": "otter"} == body["metadata"]


def test_it_is_checked(tmp_path: Path) -> None:
    """As any column is."""
    checked = judged(tmp_path, housed("badger"))

    assert ("classes", "c1", "vocabulary") in errors(checked)


def test_a_drop_without_it_is_complete(tmp_path: Path) -> None:
    """Whoever sends the standard's columns has sent all."""
    checked = judged(tmp_path, district(), strict=True)

    assert set() == rules(checked)
    assert [None] == checked.standing["classes"].accepted[HOUSE].unique().to_list()


@pytest.mark.parametrize("strict", [False, True])
def test_an_export_leaves_it_out(tmp_path: Path, strict: bool) -> None:
    """Extensions that the source sends by itself are handed on, as the standard allows."""
    rows = changed(housed("otter"), "c1", **{"metadata.theirs": "7"})
    checked = judged(tmp_path, rows)

    made = export_roster(checked.standing, checked.parts, strict=strict)

    assert [*ENTITIES["classes"].header("1.2"), "metadata.theirs"] == made.tables["classes"].columns


def test_the_dictionary_says_that_it_is_ours() -> None:
    """With its values and its place in JSON."""
    line = next(line for line in dictionary_page().splitlines() if HOUSE in line)

    assert "| `metadata.house` | enum |  | otter, heron | `metadata.house` | ours | House" in line


def test_another_name_is_refused() -> None:
    """OneRoster would take it for one of its own."""
    with pytest.raises(ValueError, match=r"metadata\.house"):
        ours(text("house", "House to which the class belongs."))


def test_a_part_of_a_record_cannot_have_one() -> None:
    """Parts are sent inside their record, whose metadata is the record's."""
    roles = ENTITIES["roles"]

    with pytest.raises(ValueError, match="in users: roles are parts"):
        replace(roles, columns=(*roles.columns, ours(text("metadata.desk", "Desk."))))
