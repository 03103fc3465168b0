"""Columns, entities and rules about rows: the types that `schemas/` declares the files with.

Source: OneRoster 1.2 CSV Binding, sections 3 and 4 (data types), and the 1.2.1 corrections.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars as pl

Version = Literal["1.0", "1.1", "1.2.0", "1.2"]
Kind = Literal[
    "guid",
    "reference",
    "references",
    "text",
    "texts",
    "enum",
    "enums",
    "boolean",
    "integer",
    "number",
    "date",
    "datetime",
    "year",
    "user_ids",
    "score_scale",
]
Service = Literal["rostering", "gradebook", "resources"]
DayEdge = Literal["", "start", "end"]

EVERY_VERSION: frozenset[Version] = frozenset({"1.0", "1.1", "1.2.0", "1.2"})
NO_VERSION: frozenset[Version] = frozenset()
# 1.0 also has every column that 1.2 removed.
ONLY_1_1: frozenset[Version] = frozenset({"1.0", "1.1"})
SINCE_1_1: frozenset[Version] = frozenset({"1.1", "1.2.0", "1.2"})
SINCE_1_2: frozenset[Version] = frozenset({"1.2.0", "1.2"})
GIVEN_UP = " (given up)"  # ends the id of a record whose id another record has now
# Cells that are no ids: what a spreadsheet has instead of a value or makes of a long number, and
# cells without any letter or digit.
NO_ID = r"#(?:REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|N/A)|[0-9](?:\.[0-9]+)?[eE]\+[0-9]{2,3}|[\W_]+"
IDS: frozenset[Kind] = frozenset({"guid", "reference", "references"})
# The prefix of extension columns, in files (CSV Binding, section 3) and in JSON.
EXTENSION = "metadata."
# The columns of every file that say whether a record still exists, and when it last changed. They
# are not sent.
LIFECYCLE = ("status", "dateLastModified")
# Lists whose items are in braces, in which commas are text.
BRACES: frozenset[Kind] = frozenset({"user_ids", "score_scale"})
LISTS: frozenset[Kind] = BRACES.union(("references", "texts", "enums"))


@dataclass(frozen=True)
class Column:
    """One column of one file.

    Raises `ValueError` if a column of our own is not named `metadata.*`.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    required_strict: bool = False  # required under `--strict`: by the standard, not by the target
    values: tuple[str, ...] = ()  # the vocabulary
    extensible: bool = False  # the vocabulary also allows `ext:` tokens
    refers: str | None = None  # the entity whose `sourcedId` the column holds
    refers_types: tuple[str, ...] = ()  # the values of that entity's `type` that are allowed
    secret: bool = False  # discarded as soon as it is read
    # The CSV bindings whose header has the column; empty if only a target's binding has it.
    versions: frozenset[Version] = EVERY_VERSION
    aliases: tuple[str, ...] = ()  # spellings seen in real drops
    json: str = ""  # the property in the REST binding
    rest: Kind | None = None  # its type in the REST binding, where that differs from `kind`
    # Set if the REST binding wants a timestamp for this day: the start of the day, or its end.
    moment: DayEdge = ""
    # False for a column of our own in one of the standard's files. OneRoster allows such a column
    # only as an extension, `metadata.*`.
    standard: bool = True

    def __post_init__(self) -> None:
        if not self.standard and not self.name.startswith(EXTENSION):
            raise ValueError(
                f"Name the column {EXTENSION}{self.name}: OneRoster has no other place for it."
            )
        if not self.json:
            object.__setattr__(self, "json", _json_name(self.name))

    @property
    def is_list(self) -> bool:
        """Whether a cell holds items separated by commas."""
        return self.kind in LISTS

    @property
    def is_id(self) -> bool:
        """Whether a cell holds sourcedIds: that of its own record, or those of others."""
        return self.kind in IDS


@dataclass(frozen=True)
class RuleContext:
    """What a rule about rows may depend on, besides the row."""

    day: date | None = None  # the day of the run, if known

    @property
    def today(self) -> date:
        """The day of the run. Raises `ValueError` if the roster does not have it."""
        if self.day is None:
            raise ValueError("A rule needs the day of the run: give the roster its `today`.")
        return self.day


@dataclass(frozen=True)
class RowRule:
    """A rule about several columns of one row."""

    rule: str  # its code in `transforms/rules.py`
    column: str  # where a violation is reported
    holds: Callable[[RuleContext], pl.Expr]  # true or null where a row follows the rule


@dataclass(frozen=True)
class Entity:
    """One file: either one kind of record, or parts that fold into the records of another file.

    Raises `ValueError` if a file of parts has a column of our own.
    """

    name: str
    singular: str  # the wrapper of one record in JSON
    service: Service
    columns: tuple[Column, ...]
    description: str
    needed: bool = False  # a drop without this file is refused
    folds_into: str | None = None  # the entity whose records these rows are parts of
    folds_as: str = ""  # the property of that record, if it differs from `name`
    single: bool = False  # a record has room for one such part, not for a list
    standard: bool = True  # false for files of our own, which OneRoster does not have
    label: tuple[str, ...] = ("title",)  # the columns that identify a record to a person
    rules: tuple[RowRule, ...] = ()
    aliases: tuple[str, ...] = ()  # other names of the file, seen in real drops
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})
        if self.folds_into and not all(column.standard for column in self.columns):
            raise ValueError(
                f"Declare columns of our own in {self.folds_into}: "
                f"{self.name} are parts of its records."
            )

    def __getitem__(self, name: str) -> Column:
        return self.by_name[name]

    def header(self, version: Version) -> tuple[str, ...]:
        """Return the names of the standard's columns in one version of the binding, in order."""
        return tuple(
            column.name for column in self.columns if column.standard and version in column.versions
        )

    def needs(self, column: Column) -> bool:
        """Tell whether a record needs the record that this reference names.

        A record of the standard can do without its optional references. In our own files every
        reference counts: a lesson must not move to the top of its course if its unit is missing.
        """
        return column.required or not self.standard

    @property
    def references(self) -> tuple[Column, ...]:
        """The 1.2 columns that hold ids of other records."""
        return tuple(column for column in self.current if column.refers)

    @property
    def current(self) -> tuple[Column, ...]:
        """The columns of normalized frames: those of OneRoster 1.2 (1.2.1), and our own."""
        return tuple(column for column in self.columns if "1.2" in column.versions)

    @property
    def file(self) -> str:
        """The name of the file in a drop."""
        return f"{self.name}.csv"


def _json_name(name: str) -> str:
    """Return `parent` for `parentSourcedId`, and `terms` for `termSourcedIds` (section 4)."""
    if name.startswith(EXTENSION):
        return name
    if name.endswith("SourcedIds"):
        return name.removesuffix("SourcedIds") + "s"
    if name.endswith("SourcedId"):
        return name.removesuffix("SourcedId")
    return name
