"""What a layout is: its files, the columns that each has, and what records their rows describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from transforms.layouts.expressions import Cell
from transforms.schemas import ENTITIES


@dataclass(frozen=True)
class Rows:
    """The records of one entity that rows of a file describe: a cell for each column of the entity, or `metadata.*`.

    `where` picks rows. `given` is a column without which, or where it is blank, a row describes none: a second
    teacher. `derived` records are described by many rows at once, such as the course of sections; `repeats` marks
    people whose rows are repeated for what belongs to them, such as the parent of each child. `each` is a column with a
    list, of which each item makes a record. `presumed` roles count only where no class says what a person is.
    """

    entity: str
    columns: Mapping[str, Cell]
    where: Cell | None = None
    given: str = ""
    derived: bool = False
    repeats: bool = False
    each: str = ""
    presumed: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the file that it reads."""
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
    """Declare what rows describe. Raises `ValueError` for a column that the entity does not have."""
    cells = {**(columns or {}), **more}
    known = {column.name for column in ENTITIES[entity].current}
    if wrong := [name for name in cells if name not in known and not name.startswith("metadata.")]:
        raise ValueError(f"{entity} has no column {wrong[0]}")
    return Rows(entity, cells, where, given, derived, repeats, each, presumed)


@dataclass(frozen=True)
class Join:
    """Columns of another file, found by a key and written `file.column` here; without a match they are blank.

    `on` is the column of this file that holds the key, `key` the column of the other. Of several matches the first
    counts; or `all_of_them`, as a list.
    """

    file: str
    on: str
    key: str
    columns: tuple[str, ...]
    all_of_them: bool = False


@dataclass(frozen=True)
class File:
    """One file of a layout.

    `needed` files are in every drop, and `required` columns in every such file: by them the layout is recognised. A
    layout that needs no file is recognised by those that are there. `reads` are further columns, for `prepare`.
    `ignored` are columns that are not read on purpose (`ext.*` for all that begin so). `aliases` are other
    spellings of a column, `names` other names of the file. It says nothing
    without the file that it stands `beside`. Names are matched without case, spaces, `_` and `-`.
    """

    name: str
    gives: tuple[Rows, ...] = ()
    needed: bool = False
    required: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    joins: tuple[Join, ...] = ()
    beside: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read of it, for itself; those of joined files are not among them."""
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
        """The files whose columns it takes."""
        return {join.file for join in self.joins}


Frames = dict[str, pl.DataFrame]
Tables = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """How a student information system writes its files.

    `snapshot` says that, by the layout's own rules, a drop holds all there is. `prepare` changes the files' frames
    (columns as declared, and `#row`) before rows are read of them, for what no cell can say.
    `roles_from_enrollments` gives people without a role the one that they have in classes. `district` puts an
    organisation above the schools. `renames` is the file that says which ids are `new` names of `old` ones, each of an
    `entity`; `made` are entities whose ids are made of another's (kind of id, entity). `escape` is a sign before quotes and line breaks inside cells, in place of a doubled quote.
    """

    code: str
    title: str
    files: tuple[File, ...]
    snapshot: bool = False
    district: bool = False
    roles_from_enrollments: bool = False
    prepare: Callable[[Frames], Frames] = lambda frames: frames
    renames: str = ""
    made: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    escape: str = ""

    def columns_of(self, file: File) -> tuple[str, ...]:
        """The columns that are read of a file, for itself and for others that join it."""
        joins = [join for other in self.files for join in other.joins if join.file == file.name]
        return tuple(
            dict.fromkeys(
                [*file.columns, *(name for join in joins for name in (join.key, *join.columns))]
            )
        )


def plain(name: str) -> str:
    """A name without case, spaces and separators, by which names are matched."""
    return re.sub(r"[\s_\-]", "", name).casefold()
