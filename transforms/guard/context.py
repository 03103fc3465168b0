"""What the guard is told of the past and of the day: the ledger's totals, the records as they were sent, the calendar, the drop's age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

TOTALS: dict[str, type[pl.DataType]] = {
    "entity": pl.String,
    "school": pl.String,
    "records": pl.Int64,
}
GROUPED: dict[str, type[pl.DataType]] = {
    "entity": pl.String, "group": pl.String, "school": pl.String, "records": pl.Int64,
}  # fmt: skip
SIZES: dict[str, type[pl.DataType]] = {"class": pl.String, "records": pl.Int64}
CHILDREN: dict[str, type[pl.DataType]] = {
    "entity": pl.String, "sourcedId": pl.String, "of": pl.String, "parent": pl.String,
}  # fmt: skip
# The name by which the ledger knows a record that no kept roster has.
NAME = "#name"
# True where a record is given as a roster has it, and not as it was sent: no roster is kept that has it so.
NEAR = "#near"
LEFT_BEHIND = dict.fromkeys(("entity", "sourcedId", "feed", "last", "now"), pl.String)


def no_totals() -> pl.DataFrame:
    """Give totals of a ledger that knows nothing."""
    return pl.DataFrame(schema=TOTALS)


def no_groups() -> pl.DataFrame:
    """Give totals of groups of which nothing is known."""
    return pl.DataFrame(schema=GROUPED)


def no_sizes() -> pl.DataFrame:
    """Give sizes of no classes."""
    return pl.DataFrame(schema=SIZES)


def no_children() -> pl.DataFrame:
    """Give children of records that have none."""
    return pl.DataFrame(schema=CHILDREN)


def with_columns_of(frame: pl.DataFrame | None, names: Sequence[str]) -> pl.DataFrame:
    """Give `sourcedId` and the named columns of records; one that is missing is blank throughout."""
    if frame is None:
        return pl.DataFrame(schema=dict.fromkeys(("sourcedId", *names), pl.String))
    columns = [
        pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)
        for name in names
    ]
    return frame.select("sourcedId", *columns)


@dataclass(frozen=True)
class Rejections:
    """How many `rows` a file has, and how many of them were rejected for a fault of their own.

    `cause` says which fault most of them have, where and how often, `fix` the next step.
    """

    file: str
    rows: int
    faults: int
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True)
class ColumnHistory:
    """A column that earlier drops filled: `records` had a value in it. `missing` if this drop does not have it at all.

    `file` is the file where it should stand, `strange` are the columns of that file that nothing reads.
    """

    records: int
    missing: bool = False
    file: str = ""
    strange: tuple[str, ...] = ()


@dataclass(frozen=True)
class GuardContext:
    """Everything that the guard judges by, besides the changes.

    `totals` are the active records by entity and school, `groups` the active users by what they are (`students`, `staff`, `contacts`)
    and the active enrollments by their role, and by school. `week` is how many vanished in the last seven
    days, by entity; None if that is not known. `children` are the active records (`entity`, `sourcedId`)
    that name one that is to be deleted (`of`, `parent`). `rejections` are by entity. `newest` is the date
    of the newest drop that was loaded, `dated` that of this one; None if a drop does not say. `today` is the
    day of the run. `twin` is the day of a roster of more than a week ago that this drop repeats to the last cell, although others came since. `strangers` is how many of a sample of the drop's ids the target holds although the ledger
    is empty. `blackout` and `adds_only` are the last days of such a time, if today is in one. `ask_first` is true if a person
    is to see all of it before anything is sent. `sent` are, by entity, records as the target has them (columns of the roster, as far
    as any has a value): those that are to change, and those that new ones may be under other ids. `sizes` are the people of
    classes that lose some, `over` the ids of classes whose terms are over, `ends` the last days of sessions, `taught` how many classes are taught in each. `read` is how many records of each entity the last drop had. `names` are those of schools and classes,
    by `entity:sourcedId`. `settled` are the ids of users and classes by the last run that came to its end; None if none ever did: what a killed run
    began goes on. `columns` are those of each entity that earlier drops filled.
    `left_behind` are the records that vanished and that a `feed` has sent too which no longer runs, when it `last` did, and
    what this one is called `now`.
    """

    totals: pl.DataFrame = field(default_factory=no_totals)
    groups: pl.DataFrame = field(default_factory=no_groups)
    week: Mapping[str, int] | None = field(default_factory=dict)
    children: pl.DataFrame = field(default_factory=no_children)
    rejections: Mapping[str, Rejections] = field(default_factory=dict)
    newest: date | None = None
    dated: date | None = None
    strangers: int = 0
    today: date | None = None
    twin: date | None = None
    blackout: date | None = None
    adds_only: date | None = None
    ask_first: bool = False
    sent: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    sizes: pl.DataFrame = field(default_factory=no_sizes)
    over: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))
    ends: Mapping[str, str | None] = field(default_factory=dict)
    taught: Mapping[str, int] = field(default_factory=dict)
    read: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    settled: Mapping[str, pl.Series] | None = None
    columns: Mapping[str, Mapping[str, ColumnHistory]] = field(default_factory=dict)
    left_behind: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT_BEHIND))

    def total(self, entity: str, group: str = "") -> int:
        """How many active records of an entity the ledger knows, or of one group of them."""
        if group:
            return int(self.groups.filter(entity=entity, group=group)["records"].sum())
        return int(self.totals.filter(pl.col("entity") == entity)["records"].sum())

    def of_schools(self, entity: str, group: str = "") -> pl.DataFrame:
        """The active records of an entity, or of one group of them, by `school` (`records`)."""
        if group:
            return self.groups.filter(entity=entity, group=group).select("school", "records")
        return self.totals.filter(pl.col("entity") == entity).select("school", "records")

    @property
    def everything(self) -> int:
        """How many active records the ledger knows."""
        return int(self.totals["records"].sum())

    def records(self, entity: str, *columns: str) -> pl.DataFrame:
        """Give `sourcedId` and columns of records as the target has them."""
        return with_columns_of(self.sent.get(entity), columns)

    def name(self, entity: str, sourced_id: str) -> str:
        """Name a school or a class as people call it, with its id; the id alone if no name is known."""
        name = self.names.get(f"{entity}:{sourced_id}")
        return f"{name} ({sourced_id})" if name else sourced_id
