"""What the guard is told of the past and of the day: the ledger's totals, earlier runs, the calendar, the drop's age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

TOTALS: dict[str, type[pl.DataType]] = {"entity": pl.String, "school": pl.String, "records": pl.Int64}
CHILDREN: dict[str, type[pl.DataType]] = {
    "entity": pl.String, "sourcedId": pl.String, "of": pl.String, "parent": pl.String,
}  # fmt: skip


LEFT_BEHIND = dict.fromkeys(("entity", "sourcedId", "feed", "last", "now"), pl.String)
NAMES: dict[str, type[pl.DataType]] = {"sourcedId": pl.String, "name": pl.String}


def no_totals() -> pl.DataFrame:
    """Give totals of a ledger that knows nothing."""
    return pl.DataFrame(schema=TOTALS)


def no_children() -> pl.DataFrame:
    """Give children of records that have none."""
    return pl.DataFrame(schema=CHILDREN)


def no_names() -> pl.DataFrame:
    """Give names of nobody."""
    return pl.DataFrame(schema=NAMES)


@dataclass(frozen=True)
class Rejections:
    """How many `rows` a file has, and how many of them were rejected for a fault of their own."""

    file: str
    rows: int
    faults: int


@dataclass(frozen=True)
class Past:
    """Everything that the guard judges by, besides the changes.

    `totals` are the active records by entity and school. `week` is how many vanished in the last seven
    days, by entity; None if that is not known. `children` are the active records (`entity`, `sourcedId`)
    that name one that is to be deleted (`of`, `parent`). `rejections` are by entity. `newest` is the date
    of the newest drop that was loaded, `dated` that of this one; None if a drop does not say. `today` is the
    day of the run. `strangers` is how many of a sample of the drop's ids the target holds although the ledger
    is empty. `blackout` and `adds_only` are the last days of such a time, if today is in one. `ask_first` is true if a person
    is to see all of it before anything is sent. `names` are those that the ledger knows of users who are to be updated together
    with their demographics, or who vanish while others come. `left_behind` are the records that vanished and that a `feed` has sent too which no longer runs, when it `last` did, and what this one is called `now`.
    """

    totals: pl.DataFrame = field(default_factory=no_totals)
    week: Mapping[str, int] | None = field(default_factory=dict)
    children: pl.DataFrame = field(default_factory=no_children)
    rejections: Mapping[str, Rejections] = field(default_factory=dict)
    newest: date | None = None
    dated: date | None = None
    strangers: int = 0
    today: date | None = None
    blackout: date | None = None
    adds_only: date | None = None
    ask_first: bool = False
    names: pl.DataFrame = field(default_factory=no_names)
    left_behind: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT_BEHIND))

    def total(self, entity: str) -> int:
        """How many active records of an entity the ledger knows."""
        return int(self.totals.filter(pl.col("entity") == entity)["records"].sum())

    @property
    def everything(self) -> int:
        """How many active records the ledger knows."""
        return int(self.totals["records"].sum())
