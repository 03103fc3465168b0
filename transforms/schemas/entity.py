"""What a column and an entity are, and the words in which `schemas/` declares them.

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
Moment = Literal["", "start", "end"]

EVERY_VERSION: frozenset[Version] = frozenset({"1.0", "1.1", "1.2.0", "1.2"})
NO_VERSION: frozenset[Version] = frozenset()
# What 1.2 dropped, 1.0 has as well.
ONLY_1_1: frozenset[Version] = frozenset({"1.0", "1.1"})
SINCE_1_1: frozenset[Version] = frozenset({"1.1", "1.2.0", "1.2"})
SINCE_1_2: frozenset[Version] = frozenset({"1.2.0", "1.2"})
IDS: frozenset[Kind] = frozenset({"guid", "reference", "references"})
# What the names of extension columns begin with, in files (CSV Binding, section 3) as in JSON.
EXTENSION = "metadata."
# The columns of every file that say whether a record is still there, and since when; they are not what is sent of it.
LIFECYCLE = ("status", "dateLastModified")
LISTS: frozenset[Kind] = frozenset({"references", "texts", "enums", "user_ids", "score_scale"})


@dataclass(frozen=True)
class Column:
    """One column of one file: everything that is known of it.

    `versions` are the CSV bindings whose header has it; none, if only a target's binding has it.
    `secret` marks what is dropped as soon as it is read. `values` is a closed vocabulary unless
    `extensible`, which admits `ext:` tokens. `refers` names the entity whose `sourcedId` it holds,
    `refers_types` the values of that entity's `type` that are meant. `aliases` are spellings seen
    in real drops. `json` is the property in the REST binding. `moment` marks a day that the REST
    binding wants as a moment: the start of that day, or its end. `standard` is false for a column of
    our own in one of the standard's files; it must be named `metadata.*`, as the standard has extensions.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    required_strict: bool = False
    values: tuple[str, ...] = ()
    extensible: bool = False
    refers: str | None = None
    refers_types: tuple[str, ...] = ()
    secret: bool = False
    versions: frozenset[Version] = EVERY_VERSION
    aliases: tuple[str, ...] = ()
    json: str = ""
    moment: Moment = ""
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
        """True if the cell holds items separated by commas."""
        return self.kind in LISTS

    @property
    def is_id(self) -> bool:
        """True if the cell holds sourcedIds: its record's own, or those of others."""
        return self.kind in IDS


@dataclass(frozen=True)
class RuleContext:
    """What a rule about rows may depend on, beside the row."""

    day: date | None = None  # the day of the run, if it is known

    @property
    def today(self) -> date:
        """The day of the run; raises `ValueError` if the roster does not say it."""
        if self.day is None:
            raise ValueError("A rule needs the day of the run: give the roster its `today`.")
        return self.day


@dataclass(frozen=True)
class RowRule:
    """A rule about several columns of one row."""

    rule: str  # its code in `transforms/rules.py`
    column: str  # at which a breach is reported
    holds: Callable[[RuleContext], pl.Expr]  # true, or null, where the row obeys it


@dataclass(frozen=True)
class Entity:
    """One file, which is one kind of record unless it `folds_into` another, as its property `folds_as`.

    `standard` is false for the files of our own, which OneRoster does not have. `single` parts are
    one to a record, and no list. `needed` marks the files that every roster needs: without one of
    them a drop is refused.
    `label` are the columns that tell a person which record is meant. `singular` is the wrapper of
    one record in JSON.
    """

    name: str
    singular: str
    service: Service
    columns: tuple[Column, ...]
    description: str
    needed: bool = False
    folds_into: str | None = None
    folds_as: str = ""
    single: bool = False
    standard: bool = True
    label: tuple[str, ...] = ("title",)
    rules: tuple[RowRule, ...] = ()
    aliases: tuple[str, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})
        if self.folds_into and not all(column.standard for column in self.columns):
            raise ValueError(
                f"Declare columns of our own in {self.folds_into}: {self.name} are parts of its records."
            )

    def __getitem__(self, name: str) -> Column:
        return self.by_name[name]

    def header(self, version: Version) -> tuple[str, ...]:
        """Names of the standard's columns of this file in one version of the binding, in order."""
        return tuple(
            column.name for column in self.columns if column.standard and version in column.versions
        )

    def needs(self, column: Column) -> bool:
        """Whether a record must not go without what this reference names.

        The standard lets optional references be left out. In files of our own a place that is named
        is meant: a lesson whose unit is not there does not move to the top of its course.
        """
        return column.required or not self.standard

    @property
    def references(self) -> tuple[Column, ...]:
        """The columns that hold ids of other records, 1.2 columns only."""
        return tuple(column for column in self.current if column.refers)

    @property
    def current(self) -> tuple[Column, ...]:
        """The columns of OneRoster 1.2 (1.2.1) and our own, which normalised frames have."""
        return tuple(column for column in self.columns if "1.2" in column.versions)

    @property
    def file(self) -> str:
        """Name of its file in a drop."""
        return f"{self.name}.csv"


def _json_name(name: str) -> str:
    """`parentSourcedId` is `parent` in JSON, `termSourcedIds` is `terms` (reference section 4)."""
    if name.startswith(EXTENSION):
        return name
    if name.endswith("SourcedIds"):
        return name.removesuffix("SourcedIds") + "s"
    if name.endswith("SourcedId"):
        return name.removesuffix("SourcedId")
    return name
