"""The records of one entity while they are judged: by the standard, by what a feed shares, by what the target takes.

`judged` states are passed from `check` to `share` to `carry` to `diff`; each stage moves records
from `accepted` to `refused` or `withheld`, and never loses one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import Counts
from transforms.roster import Mode
from transforms.schemas import Entity

IDS: dict[str, type[pl.DataType]] = {"sourcedId": pl.String, "cause": pl.String}
# The record that a part belonged to, the part's own id, and what it was.
ENDED = dict.fromkeys(("sourcedId", "part", "orgSourcedId", "role"), pl.String)


def no_ids() -> pl.DataFrame:
    """Give a frame of ids and causes without rows."""
    return pl.DataFrame(schema=IDS)


@dataclass(frozen=True)
class EntityRecords:
    """The records of one entity.

    `accepted`: columns as in `Table.frame`, with what folds into the entity. `refused` and
    `withheld`: `sourcedId` and `cause`, one row a record; the first were rejected, the second are
    not shared. `gone`: ids whose rows say `tobedeleted`. `blurred` is true if rows were refused
    whose id is not certain, so that no one can say who is missing; `nameless` are those without any.
    `merged` are exact duplicate rows. `said` are the columns of which the drop speaks;
    `partial` are kinds of parts of which it may hold some only, so that those it lacks stay. `emptied` is
    true if the file should be a full snapshot and has no rows: all that was loaded has vanished, as it seems. `lacking`
    is as in `Table`, and `fed` too, by the entity and by each kind of part. `ended` are parts whose rows say `tobedeleted`
    (columns of `ENDED`); `settled` says that records have all their parts, also those of which the drop does not speak.
    """

    entity: Entity
    accepted: pl.DataFrame
    mode: Mode
    file: str
    refused: pl.DataFrame = field(default_factory=no_ids)
    withheld: pl.DataFrame = field(default_factory=no_ids)
    gone: pl.Series = field(default_factory=lambda: pl.Series("sourcedId", dtype=pl.String))
    blurred: bool = False
    nameless: int = 0
    merged: int = 0
    said: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    emptied: bool = False
    lacking: tuple[str, ...] = ()
    fed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ended: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ENDED))
    settled: bool = False

    @property
    def counts(self) -> Counts:
        """The terms that are settled so far: a person is one record, however many rows describe it."""
        rejected = self.refused.height + self.nameless
        read = self.accepted.height + self.withheld.height + rejected + self.merged
        return {
            "read": read,
            "merged": self.merged,
            "rejected": rejected,
            "unshared": self.withheld.height,
        }

    def refuse(self, rows: pl.DataFrame) -> EntityRecords:
        """Move accepted records (`sourcedId`, `cause`) to the refused ones."""
        return replace(self, **self._moved(rows, "refused")) if rows.height else self  # type: ignore[arg-type]

    def withhold(self, rows: pl.DataFrame) -> EntityRecords:
        """Move accepted records (`sourcedId`, `cause`) to those that are not shared."""
        return replace(self, **self._moved(rows, "withheld")) if rows.height else self  # type: ignore[arg-type]

    def _moved(self, rows: pl.DataFrame, to: str) -> dict[str, pl.DataFrame]:
        rows = rows.select("sourcedId", "cause").unique(
            "sourcedId", keep="first", maintain_order=True
        )
        left = self.accepted.join(rows, on="sourcedId", how="anti", maintain_order="left")
        return {"accepted": left, to: pl.concat([getattr(self, to), rows])}


RosterState = dict[str, EntityRecords]


def dependants(judged: EntityRecords, parents: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The accepted records (`#row`, `sourcedId`, `column`, `cause`) that need a record in `parents`.

    `parents`: entity -> `sourcedId`, `cause`. A list needs each of its items. Optional references need nothing.
    """
    found = []
    for column in judged.entity.references:
        causes = parents.get(column.refers or "")
        if not judged.entity.needs(column) or causes is None or not causes.height:
            continue
        if column.name not in judged.accepted.columns:
            continue
        needed = judged.accepted.select("#row", "sourcedId", needs=column.name)
        if column.is_list:
            needed = needed.with_columns(pl.col("needs").str.split(",")).explode(
                "needs", empty_as_null=True, keep_nulls=True
            )
        hit = needed.join(
            causes.rename({"sourcedId": "needs"}), on="needs", how="inner", maintain_order="left"
        )
        found.append(hit.select("#row", "sourcedId", column=pl.lit(column.name), cause="cause"))
    empty = pl.DataFrame(
        schema={"#row": pl.UInt32, "sourcedId": pl.String, "column": pl.String, "cause": pl.String}
    )
    return pl.concat([empty, *found])


def without_references(judged: EntityRecords, hidden: dict[str, pl.Series]) -> EntityRecords:
    """Leave out the optional references to records that are not sent."""
    changes = []
    for column in judged.entity.references:
        ids = hidden.get(column.refers or "")
        if (
            judged.entity.needs(column)
            or ids is None
            or not ids.len()
            or column.name not in judged.accepted.columns
        ):
            continue
        cell = pl.col(column.name)
        if column.is_list:
            items = cell.str.split(",").list.set_difference(pl.lit(ids.implode())).list.join(",")
            changes.append(pl.when(items != "").then(items).alias(column.name))
        else:
            changes.append(pl.when(~cell.is_in(ids.implode())).then(cell).alias(column.name))
    return replace(judged, accepted=judged.accepted.with_columns(changes)) if changes else judged
