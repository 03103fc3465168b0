"""The state of a roster's records between stages: accepted, refused, or not shared.

`check` passes the state to `share`, `share` to `carry`, and `carry` to `diff`. Each stage moves
records from `accepted` to `refused` or `withheld`, and never loses one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import Counts
from transforms.roster import SnapshotMode
from transforms.schemas import Entity

IDS: dict[str, type[pl.DataType]] = {"sourcedId": pl.String, "cause": pl.String}
# A part that has ended: its record, its own id, and the role that it was.
ENDED = dict.fromkeys(("sourcedId", "part", "orgSourcedId", "role"), pl.String)


def no_ids() -> pl.DataFrame:
    """Return a frame of ids and causes without rows."""
    return pl.DataFrame(schema=IDS)


@dataclass(frozen=True)
class EntityRecords:
    """The records of one entity."""

    entity: Entity
    accepted: pl.DataFrame  # columns of `Table.frame`, and one for each kind of part
    mode: SnapshotMode
    file: str
    # `sourcedId` and `cause`, one row for each record: the records that a rule rejected, and the
    # records that are not shared.
    refused: pl.DataFrame = field(default_factory=no_ids)
    withheld: pl.DataFrame = field(default_factory=no_ids)
    # The ids whose rows say `tobedeleted`.
    gone: pl.Series = field(default_factory=lambda: pl.Series("sourcedId", dtype=pl.String))
    # Rows without a certain id were refused, so that nobody knows which records are missing.
    blurred: bool = False
    nameless: int = 0  # number of refused rows without an id
    merged: int = 0  # number of exact duplicate rows
    said: frozenset[str] = frozenset()  # the columns that the drop has
    # Kinds of parts of which the drop may contain only some; missing parts stay in the target.
    partial: frozenset[str] = frozenset()
    # The file should be a full snapshot and has no rows, as if every loaded record were deleted.
    emptied: bool = False
    lacking: tuple[str, ...] = ()  # as in `Table`
    fed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # as in `Table`, by file
    # The parts whose rows say `tobedeleted` (columns of `ENDED`).
    ended: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ENDED))
    settled: bool = False  # records have all their parts, including those missing from the drop

    @property
    def counts(self) -> Counts:
        """The terms that are known so far; a person is one record, in however many rows."""
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
        if not rows.height:
            return self
        left, causes = self._without(rows)
        return replace(self, accepted=left, refused=pl.concat([self.refused, causes]))

    def withhold(self, rows: pl.DataFrame) -> EntityRecords:
        """Move accepted records (`sourcedId`, `cause`) to those that are not shared."""
        if not rows.height:
            return self
        left, causes = self._without(rows)
        return replace(self, accepted=left, withheld=pl.concat([self.withheld, causes]))

    def _without(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the other accepted records, and the first cause for each of these."""
        causes = rows.select("sourcedId", "cause").unique(
            "sourcedId", keep="first", maintain_order=True
        )
        left = self.accepted.join(causes, on="sourcedId", how="anti", maintain_order="left")
        return left, causes


# The records of a roster, by entity.
RosterState = dict[str, EntityRecords]


def dependents(records: EntityRecords, parents: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the accepted records that need a record in `parents`.

    The result has the columns `#row`, `sourcedId`, `column` and `cause`. `parents` leads from an
    entity to a frame of `sourcedId` and `cause`. A list needs each of its items. A record does not
    need the records in its optional references.
    """
    found = []
    for column in records.entity.references:
        causes = parents.get(column.refers or "")
        if not records.entity.needs(column) or causes is None or not causes.height:
            continue
        if column.name not in records.accepted.columns:
            continue
        needed = records.accepted.select("#row", "sourcedId", needs=column.name)
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


def without_references(records: EntityRecords, hidden: dict[str, pl.Series]) -> EntityRecords:
    """Remove the optional references to `hidden` records (entity -> ids), which are not sent."""
    changes = []
    for column in records.entity.references:
        ids = hidden.get(column.refers or "")
        if records.entity.needs(column) or ids is None or not ids.len():
            continue
        if column.name not in records.accepted.columns:
            continue
        cell = pl.col(column.name)
        if column.is_list:
            items = cell.str.split(",").list.set_difference(pl.lit(ids.implode())).list.join(",")
            changes.append(pl.when(items != "").then(items).alias(column.name))
        else:
            changes.append(pl.when(~cell.is_in(ids.implode())).then(cell).alias(column.name))
    if not changes:
        return records
    return replace(records, accepted=records.accepted.with_columns(changes))
