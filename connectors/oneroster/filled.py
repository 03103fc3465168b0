"""Which columns of a record were filled when it was last sent, and what becomes of those that are not now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from connectors.oneroster.earlier import Earlier
from connectors.oneroster.job import Job
from transforms.changes import ACTION, ENDED, FIELDS, EntityChanges
from transforms.payload import METADATA

NOTHING: frozenset[str] = frozenset()
# What we gave to enrollments that vanished, whatever their drop says of it.
LAST_DAY = frozenset({"endDate"})


@dataclass(frozen=True)
class Filled:
    """The columns that were filled when records were `last` sent, by id, and those that the drop speaks of (`said`).

    `ended` are the records to which we gave a last day when they vanished.
    """

    last: Mapping[str, frozenset[str]]
    said: frozenset[str]
    partial: frozenset[str] = NOTHING
    ended: frozenset[str] = NOTHING

    def gone(self, sourced_id: str, now: str) -> frozenset[str]:
        """The columns to clear: filled then, blank now, and the drop says so."""
        gone = frozenset(filter(self._spoken_of, self.last.get(sourced_id, NOTHING) - _names(now)))
        return gone | (LAST_DAY - _names(now)) if sourced_id in self.ended else gone

    def to_record(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Keep in mind the columns that we filled once and of which this drop does not speak."""
        rows = zip(frame["sourcedId"], frame[FIELDS], strict=True)
        return frame.with_columns(pl.Series(FIELDS, [self._ever(one, now) for one, now in rows], dtype=pl.String))

    def _ever(self, sourced_id: str, now: str) -> str:
        unsaid = {name for name in self.last.get(sourced_id, NOTHING) if not self._spoken_of(name)}
        return ",".join(sorted(unsaid | _names(now))) if unsaid else now

    def _spoken_of(self, name: str) -> bool:
        """Whether the drop has the column, or the one whose cell held an object with this name in it."""
        return name in self.said or any(name.startswith(f"{one}.") for one in self.said if one.startswith(METADATA))


def filled(job: Job, changes: EntityChanges, frame: pl.DataFrame) -> Filled:
    """Ask the ledger about the records of a frame that it knows, and rosters about those that killed runs may have sent."""
    known = frame.filter(pl.col(ACTION) != "create")["sourcedId"]
    sent = job.earlier.get(changes.entity, Earlier()).filled
    if known.is_empty():
        return Filled(sent, changes.said, changes.partial)
    details = job.ledger.details(job.key, changes.entity, known)
    last = {**sent, **{one: _names(fields) for one, fields in details.select("sourcedId", "fields").iter_rows()}}
    ended = frozenset(details.filter(pl.col("status") == ENDED)["sourcedId"])
    return Filled(last, changes.said, changes.partial, ended)


def _names(fields: str | None) -> frozenset[str]:
    return frozenset(fields.split(",")) if fields else NOTHING
