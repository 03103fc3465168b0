"""A drop as it is read (`Raw`) and as it is normalized (`Roster`): the input and output of layouts.

A roster holds one table for each entity. Its rows have the columns and the spelling of OneRoster
1.2, and every column is text. The checks work on rosters only and do not know the layouts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from transforms.findings import ROW, Findings
from transforms.schemas import Entity

SnapshotMode = Literal["bulk", "delta", "unknown"]
LOST_COLUMNS: dict[str, type[pl.DataType]] = {ROW: pl.UInt32, "sourcedId": pl.String}


@dataclass(frozen=True)
class Table:
    """The rows of one entity."""

    entity: Entity
    # `#row`, the entity's current columns, and the drop's `metadata.*` columns; of a part such as
    # a role perhaps `#of`, the value that the row was derived from
    frame: pl.DataFrame
    file: str  # where the rows came from
    # What the drop says about the file: a full snapshot (`bulk`), changes (`delta`), or nothing
    # (`unknown`). If it says nothing, a missing record may still exist.
    mode: SnapshotMode
    # The rows that do not fit their header, with their sourcedId where it can be read.
    lost: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LOST_COLUMNS))
    # The columns that the drop has. It says nothing about the others, not even that they are blank.
    said: frozenset[str] = frozenset()
    emptied: bool = False  # the file should be a full snapshot, and has no rows
    # Where a layout reads an entity from several places: the files that have such rows, and the
    # columns that are needed to find any (`sections.csv: Teacher_2_id`).
    fed: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()  # those of `fed` that earlier drops had and this one does not
    keys: tuple[str, ...] = ()  # the columns that ids are made of, where rows have no ids
    named: bool = False  # rows have ids, which stay the same from one drop to the next
    complete: bool = False  # a record has either all of its parts in this table, or none
    rest: bool = False  # its values have the types of the REST binding
    # The columns that the layout concludes from others, because its files have no such column.
    inferred: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Roster:
    """A normalized drop."""

    tables: dict[str, Table]
    broken: frozenset[str] = frozenset()  # entities whose file is there and could not be read
    findings: Findings = field(default_factory=Findings)
    # From a file, an entity and its column to the file's own names for the columns that it was made
    # of, where the names differ. The entity is blank where all of the file's entities agree.
    spelt: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    # The ids that the source replaces from now on: from an entity and a new id to the old id.
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # The classes that the source moved to another course, from now on: class -> course, or blank.
    cross_listed: Mapping[str, str] = field(default_factory=dict)
    # The ids that a file of old and new ids has changed back: entity -> new id -> old id.
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    salted: bool = False  # ids were made of personal data
    # The ids that several people have from this drop on. If the target has one of them, its name
    # says whose it is (`ReadingOptions.holders`).
    contested: frozenset[str] = frozenset()
    today: date | None = None  # the day of the run, for rules that depend on it


@dataclass(frozen=True)
class RawFile:
    """One file as read."""

    name: str
    # `#row` (UInt32, 1 for the first record after the header), and a text column for each named
    # header cell, in the file's order and spelling; blank cells are null
    frame: pl.DataFrame
    header: tuple[str, ...]  # as written
    # The cells of the records that do not fit the header, by row number. They are not in `frame`,
    # and nobody knows for certain which records they describe.
    ragged: dict[int, tuple[str, ...]] = field(default_factory=dict)
    # The standard's name of the file, if a mapping file says that it has another one.
    stands_for: str = ""


@dataclass(frozen=True)
class Raw:
    """The files of a drop, by their names as written."""

    files: dict[str, RawFile]
    broken: frozenset[str] = frozenset()  # the files that could not be read at all
    findings: Findings = field(default_factory=Findings)
    rest: bool = False  # the values come from JSON, and have the types of the REST binding
    zone: ZoneInfo | None = None  # of the days in `rest` values; None if nobody has named it
