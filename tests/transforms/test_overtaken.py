"""What of a plan a newer roster contradicts."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.judging import judged
from tests.rosters import changed, district, without
from transforms.guard import PLANNED_COLUMNS, contradicted_records
from transforms.records import RosterState


def plan(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Give a plan: entity, id and action."""
    cells = [
        (entity, one, action, None, None, None, None, None, "vanished")
        for entity, one, action in rows
    ]
    return pl.DataFrame(cells, schema=PLANNED_COLUMNS, orient="row")


def standing(folder: Path, *gone: str, **cells: str) -> RosterState:
    """Give the district as a roster, without some records, and with other cells of Bo's."""
    return judged(folder, changed(without(district(), *gone), "bo", **cells)).standing


def test_whoever_is_there_again_is_not_removed(tmp_path: Path) -> None:
    """Accepted or refused; of what the newer roster does not speak, the plan knows better."""
    records = plan(
        ("enrollments", "e1", "delete"),
        ("enrollments", "e2", "delete"),
        ("classes", "c1", "delete"),
    )
    source, newer = standing(tmp_path, "e1", "e2"), standing(tmp_path, "e2")
    without_classes = {name: one for name, one in newer.items() if name != "classes"}

    assert [("enrollments", "e1")] == contradicted_records(records, source, without_classes).rows()
    refused = {
        "enrollments": newer["enrollments"].refuse(
            pl.DataFrame({"sourcedId": ["e1"], "cause": ["x"]})
        )
    }
    assert [("enrollments", "e1")] == contradicted_records(records, source, refused).rows()


def test_what_is_otherwise_by_now_is_not_sent(tmp_path: Path) -> None:
    """Changed again, or gone; what is as the plan has it is sent, and what its own roster lacks is not asked for."""
    records = plan(
        ("users", "bo", "update"),
        ("users", "ana", "update"),
        ("users", "tia", "create"),
        ("users", "x", "create"),
    )
    source, newer = standing(tmp_path, givenName="Boris"), standing(tmp_path, "tia", "e3", "r3")

    assert [("users", "bo"), ("users", "tia")] == contradicted_records(
        records, source, newer
    ).rows()
    assert contradicted_records(records, source, source).is_empty()
    assert contradicted_records(records, {}, newer).is_empty()


def test_nobody_is_missing_where_ids_are_not_certain(tmp_path: Path) -> None:
    """Unless that was so in the plan's own roster: what it removes was said to be gone."""
    records = plan(("users", "x", "disable"))
    source = standing(tmp_path)
    blurred = standing(tmp_path, sourcedId="")

    assert [("users", "x")] == contradicted_records(records, source, blurred).rows()
    assert contradicted_records(records, blurred, blurred).is_empty()
    assert [("users", "x")] == contradicted_records(records, {}, blurred).rows()
