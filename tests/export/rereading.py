"""Rosters out as a zip and in again, for tests."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from connectors.drops.write import write_zip
from transforms.checks import check
from transforms.export import BulkExport, export_roster
from transforms.findings import ROW
from transforms.roster import Roster
from transforms.schemas import ENTITIES

Frames = dict[str, pl.DataFrame]
# A ledger that has no record of any entity, so that a reference that leads nowhere is known to do so.
NOTHING = {
    name: pl.DataFrame(schema={"sourcedId": pl.String, "status": pl.String}) for name in ENTITIES
}


def made_of(roster: Roster, *, strict: bool = False) -> BulkExport:
    """Give what an export has of a roster."""
    checked = check(roster, NOTHING)
    return export_roster(checked.standing, checked.parts, strict=strict)


def zipped(made: BulkExport, folder: Path) -> Path:
    """Write an export."""
    write_zip(folder / "out.zip", made.files("larkspur"))
    return folder / "out.zip"


def records(roster: Roster) -> Frames:
    """Give the rows of the standard's files as `content` does."""
    return content(
        {
            name: table.frame.drop(ROW)
            for name, table in roster.tables.items()
            if table.entity.standard
        }
    )


def content(tables: Frames) -> Frames:
    """Give rows in the order of their ids, and columns in that of their names, without what bulk files do not say."""
    frames = {
        name: frame.drop("status", "dateLastModified").sort("sourcedId")
        for name, frame in tables.items()
    }
    return {name: frame.select(sorted(frame.columns)) for name, frame in frames.items()}


def assert_same(expected: Frames, actual: Frames) -> None:
    """Say where two sets of frames differ, if they do."""
    assert set(expected) == set(actual)
    for name, frame in expected.items():
        assert_frame_equal(frame, actual[name])
