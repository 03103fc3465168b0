"""The normalised drop: entity -> rows in OneRoster 1.2 spelling, every column text. The contract between layouts and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars as pl

from transforms.findings import ROW, Findings
from transforms.schemas import Entity

Mode = Literal["bulk", "delta", "unknown"]
LOST: dict[str, type[pl.DataType]] = {ROW: pl.UInt32, "sourcedId": pl.String}


@dataclass(frozen=True)
class Table:
    """The rows of one entity.

    `frame` has `#row`, the entity's current columns and the drop's `metadata.*` columns. `file` is
    where the rows came from. `mode` is what the drop says of it: a full snapshot (`bulk`), changes
    (`delta`), or nothing (`unknown`), in which case what is missing is not known to be gone. `lost`
    are the rows that do not fit their header, with the sourcedId as far as it can be told. `said`
    are the columns that the drop has: of the others it says nothing, not even that they are blank. `emptied`
    is true if it should be a full snapshot, and has no rows. `fed` are the
    files that have such rows, and the columns without which they would have none (`sections.csv: Teacher_2_id`), as far
    as a layout has several; `lacking` are those of earlier drops that this one lacks. `keys` are the columns of which ids
    are made, where rows have none of their own; `named` says that they have, and keep them from one drop to the next. What a
    row of a part was derived from stands in `#of`; `complete` says that a record's parts are all here, or none.
    """

    entity: Entity
    frame: pl.DataFrame
    file: str
    mode: Mode
    lost: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LOST))
    said: frozenset[str] = frozenset()
    emptied: bool = False
    fed: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    named: bool = False
    complete: bool = False


@dataclass(frozen=True)
class Roster:
    """A drop, normalised; `broken` are the entities whose file is there and could not be read.

    `spelt` leads from a file and a column of the roster to the columns of the file that it was made of, where those are
    called otherwise. `renamed` are ids that the source gives up for others from now on: by entity and new id, the old one.
    `given` are the new ids in whose place a file of ids has put old ones: by entity, the old one of each. `salted` says whether ids were made of personal data.
    `today` is the day of the run, for rules that depend on it.
    """

    tables: dict[str, Table]
    broken: frozenset[str] = frozenset()
    findings: Findings = field(default_factory=Findings)
    spelt: Mapping[tuple[str, str], str] = field(default_factory=dict)
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    salted: bool = False
    today: date | None = None


@dataclass(frozen=True)
class RawFile:
    """One file as read.

    `frame` has `#row` (UInt32, 1 the first record after the header) and one text column for each
    named header cell, in the file's order and spelling; blank cells are null. `header` is the header
    as written. `ragged` are the records that do not fit the header, as cells by row number: they are
    not in `frame`, and who they are is not known for certain.
    """

    name: str
    frame: pl.DataFrame
    header: tuple[str, ...]
    ragged: dict[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """The files of a drop, by name as written; `broken` are the files that could not be read at all."""

    files: dict[str, RawFile]
    broken: frozenset[str] = frozenset()
    findings: Findings = field(default_factory=Findings)
