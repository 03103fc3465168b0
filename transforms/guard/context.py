"""What the guard knows besides the changes of a run.

It knows what earlier runs left in the ledger and the archive, the calendar, and facts about the
drop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

# Columns of `GuardContext.totals`, `.groups`, `.sizes` and `.children`.
TOTALS: dict[str, type[pl.DataType]] = {
    "entity": pl.String,
    "school": pl.String,
    "records": pl.Int64,
}
GROUPS: dict[str, type[pl.DataType]] = {
    "entity": pl.String, "group": pl.String, "school": pl.String, "records": pl.Int64,
}  # fmt: skip
SIZES: dict[str, type[pl.DataType]] = {"class": pl.String, "records": pl.Int64}
CHILDREN: dict[str, type[pl.DataType]] = {
    "entity": pl.String, "sourcedId": pl.String, "of": pl.String, "parent": pl.String,
}  # fmt: skip
# A person's name from the ledger, where no archived roster has the record.
NAME = "#name"
# True where a record is given as a roster has it, because no archived roster has it as it was sent.
NEAR = "#near"
# Columns of `GuardContext.left_behind`.
CLAIMED = dict.fromkeys(("entity", "sourcedId", "feed", "label", "parents", "ends"), pl.String)
LEFT_BEHIND = dict.fromkeys(("entity", "sourcedId", "feed", "last", "now"), pl.String)


def no_totals() -> pl.DataFrame:
    """Return the totals of an empty ledger."""
    return pl.DataFrame(schema=TOTALS)


def no_groups() -> pl.DataFrame:
    """Return an empty frame of group totals."""
    return pl.DataFrame(schema=GROUPS)


def no_sizes() -> pl.DataFrame:
    """Return an empty frame of class sizes."""
    return pl.DataFrame(schema=SIZES)


def no_children() -> pl.DataFrame:
    """Return an empty frame of children."""
    return pl.DataFrame(schema=CHILDREN)


def with_columns_of(frame: pl.DataFrame | None, names: Sequence[str]) -> pl.DataFrame:
    """Return `sourcedId` and the named columns of a frame. A missing column becomes all null."""
    if frame is None:
        return pl.DataFrame(schema=dict.fromkeys(("sourcedId", *names), pl.String))
    columns = [
        pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)
        for name in names
    ]
    return frame.select("sourcedId", *columns)


@dataclass(frozen=True)
class Rejections:
    """The rejected rows of one file."""

    file: str
    rows: int
    faults: int  # rows that were rejected because of errors in those rows
    cause: str = ""  # the most frequent error, with its place and count
    fix: str = ""  # the next step for a person


@dataclass(frozen=True)
class ColumnHistory:
    """A column that earlier drops filled."""

    records: int  # how many records had a value
    missing: bool = False  # this drop does not have the column at all
    file: str = ""  # the file that should have the column
    strange: tuple[str, ...] = ()  # columns of that file that nothing reads


@dataclass(frozen=True)
class GuardContext:
    """Everything that the guard considers besides the changes.

    A record is active if the ledger says so.
    """

    # Active records by entity and school (`TOTALS`).
    totals: pl.DataFrame = field(default_factory=no_totals)
    # Active users by group (`students`, `staff`, `contacts`) and school, and active enrollments
    # by role and school (`GROUPS`).
    groups: pl.DataFrame = field(default_factory=no_groups)
    # Records removed in the last seven days, by entity. None if that is not known.
    week: Mapping[str, int] | None = field(default_factory=dict)
    # Active records (`entity`, `sourcedId`) that name a record to be deleted (`of`, `parent`).
    children: pl.DataFrame = field(default_factory=no_children)
    # By entity.
    rejections: Mapping[str, Rejections] = field(default_factory=dict)
    # The date of the newest drop that was loaded, and of this one. None if a drop has no date.
    newest: date | None = None
    dated: date | None = None
    # How many of a sample of the drop's ids the target holds, although the ledger is empty.
    strangers: int = 0
    # The day of the run.
    today: date | None = None
    # The day of a roster, more than a week old, that equals this drop although others came since.
    twin: date | None = None
    # The last day of a period in which nothing is sent, or only new records are. None outside one.
    blackout: date | None = None
    adds_only: date | None = None
    # A person must approve everything before anything is sent.
    ask_first: bool = False
    # Records as the target has them, by entity: those that change, and those that may be the same
    # as a new record with another id. Columns of the roster, except those without any value.
    sent: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    # The number of people in each class that loses some (`SIZES`).
    sizes: pl.DataFrame = field(default_factory=no_sizes)
    # Classes whose terms are over, each with the day on which the last one ended.
    over: Mapping[str, str] = field(default_factory=dict)
    # The last day of each session.
    ends: Mapping[str, str | None] = field(default_factory=dict)
    # The number of classes in each session.
    taught: Mapping[str, int] = field(default_factory=dict)
    # The number of records of each entity in the last drop.
    read: Mapping[str, int] = field(default_factory=dict)
    # Names of schools and classes, by `entity:sourcedId`.
    names: Mapping[str, str] = field(default_factory=dict)
    # Ids of users and classes in the roster of the last run that left nothing unsent. None if
    # there is no such run. What an interrupted run has created still counts as new.
    settled: Mapping[str, pl.Series] | None = None
    # Columns that earlier drops filled, by entity and column.
    columns: Mapping[str, Mapping[str, ColumnHistory]] = field(default_factory=dict)
    # Records missing from the drop that another `feed` has sent too, one that no longer runs
    # (`LEFT_BEHIND`). `last` is when that feed last ran, and `now` is the name of this feed.
    left_behind: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT_BEHIND))
    # Records that are new in this feed and that another `feed` has sent (`CLAIMED`).
    claimed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CLAIMED))
    # Unchanged records, by entity, of which something passes from another feed to this one.
    taken_over: Mapping[str, pl.Series] = field(default_factory=dict)

    def total(self, entity: str, group: str = "") -> int:
        """Return the number of active records of an entity, or of one group of them."""
        if group:
            return int(self.groups.filter(entity=entity, group=group)["records"].sum())
        return int(self.totals.filter(pl.col("entity") == entity)["records"].sum())

    def of_schools(self, entity: str, group: str = "") -> pl.DataFrame:
        """Return the active records of an entity, or of one group: columns `school`, `records`."""
        if group:
            return self.groups.filter(entity=entity, group=group).select("school", "records")
        return self.totals.filter(pl.col("entity") == entity).select("school", "records")

    @property
    def everything(self) -> int:
        """The number of active records of all entities."""
        return int(self.totals["records"].sum())

    def records(self, entity: str, *columns: str) -> pl.DataFrame:
        """Return `sourcedId` and some columns of the records that the target has."""
        return with_columns_of(self.sent.get(entity), columns)

    def name(self, entity: str, sourced_id: str) -> str:
        """Return the name of a school or class with its id, or only the id if no name is known."""
        name = self.names.get(f"{entity}:{sourced_id}")
        return f"{name} ({sourced_id})" if name else sourced_id
