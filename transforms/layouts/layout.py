"""The declaration of a layout: its files, their columns, and the records that rows describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from transforms.findings import Findings
from transforms.layouts.expressions import Cell
from transforms.layouts.options import ReadingOptions
from transforms.schemas import ENTITIES


@dataclass(frozen=True)
class Rows:
    """The records of one entity that the rows of a file describe."""

    entity: str
    # Columns of the entity, or `metadata.*`.
    columns: Mapping[str, Cell]
    # Only the rows for which this condition holds describe a record.
    where: Cell | None = None
    # A row describes a record only if this column is there and filled (a second teacher).
    given: str = ""
    # Several rows describe the same record (the course of its sections).
    derived: bool = False
    # A person has one row for each of something (a parent, for each child).
    repeats: bool = False
    # A column that holds a list: each item makes one record.
    each: str = ""
    # These roles count only if the person has no role from a class.
    presumed: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the file that the cells and conditions read."""
        cells = [*self.columns.values(), *([self.where] if self.where else [])]
        return tuple(
            dict.fromkeys(
                [
                    *(name for cell in cells for name in cell.reads),
                    *filter(None, (self.given, self.each)),
                ]
            )
        )


def rows(
    entity: str,
    columns: Mapping[str, Cell] | None = None,
    *,
    where: Cell | None = None,
    given: str = "",
    derived: bool = False,
    repeats: bool = False,
    each: str = "",
    presumed: bool = False,
    **more: Cell,
) -> Rows:
    """Declare the records that rows describe; the parameters are the fields of `Rows`.

    Raises `ValueError` if the entity does not have one of the columns.
    """
    cells = {**(columns or {}), **more}
    known = {column.name for column in ENTITIES[entity].current}
    if wrong := [name for name in cells if name not in known and not name.startswith("metadata.")]:
        raise ValueError(f"{entity} has no column {wrong[0]}")
    return Rows(entity, cells, where, given, derived, repeats, each, presumed)


@dataclass(frozen=True)
class Join:
    """Columns of another file, matched by a key, and blank without a match.

    Cells refer to them as `file.column`.
    """

    file: str
    on: str  # the column of this file that holds the key
    key: str  # the column of the other file that holds it
    columns: tuple[str, ...]
    all_of_them: bool = False  # a list of all matches; otherwise, the first match


@dataclass(frozen=True)
class File:
    """One file of a layout. Case, spaces, `_` and `-` in names of files and columns do not matter.

    A layout is recognized by its needed files and their required columns. A layout that needs no
    file is recognized by the files of the drop that have required columns.
    """

    name: str
    gives: tuple[Rows, ...] = ()
    needed: bool = False  # every drop has this file
    required: tuple[str, ...] = ()  # every such file has these columns
    reads: tuple[str, ...] = ()  # more columns to read, for `Layout.prepare`
    ignored: tuple[str, ...] = ()  # columns not read on purpose; `ext.*` means a prefix
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of columns
    names: tuple[str, ...] = ()  # other names of the file
    joins: tuple[Join, ...] = ()
    beside: str = ""  # the file without which this one has no meaning

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read for the file's own rows, without those of joined files."""
        own = [
            name
            for one in self.gives
            for name in one.reads
            if name.partition(".")[0] not in self.joined
        ]
        return tuple(
            dict.fromkeys([*self.required, *own, *self.reads, *(join.on for join in self.joins)])
        )

    @property
    def joined(self) -> set[str]:
        """The files whose columns are joined to this one."""
        return {join.file for join in self.joins}


Frames = dict[str, pl.DataFrame]
Tables = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """How a student information system writes its files."""

    code: str
    title: str
    files: tuple[File, ...]
    # The layout from which this one differs by the names of files and columns. Nothing else of
    # `files` is used then.
    base: Literal["", "oneroster"] = ""
    # By the layout's own rules, a drop has every record.
    snapshot: bool = False
    # Put an org of type `district` above the schools.
    district: bool = False
    # A person is in a class once in each role, whatever the days in the rows are.
    enrolled_once: bool = False
    # Give people without a role the role that they have in classes.
    roles_from_enrollments: bool = False
    # Change the frames of the files before their rows are read, where cells cannot express it.
    # Frames have `#row` and the declared columns.
    prepare: Callable[[Frames, ReadingOptions], Frames] = lambda frames, _: frames
    # The classes that the drop moves to another course for good: class -> course, by the ids that
    # the target knows. Blank: moved back. Later drops need not say so again.
    cross_lists: Callable[[Frames, ReadingOptions], Mapping[str, str]] = lambda _frames, _: {}
    # Report what the prepared frames say and no record does; the names are those of the files.
    report: Callable[[Frames, Mapping[str, str], ReadingOptions], list[Findings]] = (
        lambda _frames, _names, _: []
    )
    # The file that lists changed ids, with columns `entity`, `old` and `new` after `prepare`.
    renames: str = ""
    # Entities whose ids are made from the ids of another entity: kind of id, other entity.
    made: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    # The character that escapes quotes and line breaks in cells, if quotes are not doubled.
    escape: str = ""

    def columns_of(self, file: File) -> tuple[str, ...]:
        """The columns that are read from a file, for its own rows and for files that join it."""
        joins = [join for other in self.files for join in other.joins if join.file == file.name]
        return tuple(
            dict.fromkeys(
                [*file.columns, *(name for join in joins for name in (join.key, *join.columns))]
            )
        )
