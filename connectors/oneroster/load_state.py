"""One load while it runs: what it works with, what has come of it, and whether it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.earlier_rosters import Earlier
from connectors.oneroster.operations import AGENTS, Errand
from connectors.oneroster.outcomes import RecordResult, Tally
from connectors.oneroster.target import TargetError
from transforms.changes import ACTION, ENDED, FIELDS, IN_TARGET, EntityChanges, Term
from transforms.checks.references import words
from transforms.payload import METADATA, Json

Watch = Callable[[str, int, int], None]
STOPPED = "the run was stopped before it"
BROKEN_OFF = "the run broke off before it"
Sent = tuple[dict[int, RecordResult], TargetError | None]


class Sender(Protocol):
    """Runs the errands of a batch, here or elsewhere. `requests` counts what it sent, `retries` what of it was sent again."""

    @property
    def requests(self) -> int: ...

    @property
    def retries(self) -> int: ...

    async def run(
        self, batch: str, errands: list[Errand], at_once: int, stop: asyncio.Event | None
    ) -> Sent:
        """Give the result of each errand by its place, none for those that were not begun, and why it broke off."""


@dataclass
class LoadState:
    """A load under way.

    `intended` are the ids that killed runs may have sent, and `earlier` what they may have said of those that are to
    be created. `blocked` are the records, as
    `entity:sourcedId`, that the target does not hold and that others may refer to. `error` is set
    once the target is of no use any more. `sender` is who sends.
    """

    target: Client
    sender: Sender
    ledger: Ledger
    key: FeedKey
    run: str
    batch_size: int
    progress: Watch
    stop: asyncio.Event | None
    intended: dict[str, frozenset[str]]
    tally: Tally = field(default_factory=Tally)
    blocked: set[str] = field(default_factory=set)
    earlier: Mapping[str, Earlier] = field(default_factory=dict)
    error: TargetError | None = None

    @property
    def halted(self) -> str:
        """Why nothing more is sent; blank while the load goes on."""
        if self.stop and self.stop.is_set():
            return STOPPED
        return BROKEN_OFF if self.error else ""

    async def perform(
        self, batch: str, errands: Iterable[Errand], at_once: int = 0
    ) -> dict[int, RecordResult]:
        """Run the errands of a batch, and give their results by place; those that were not begun are not there."""
        at_once = at_once or self.target.concurrency
        results, self.error = await self.sender.run(batch, list(errands), at_once, self.stop)
        return results

    def waits_for(self, parents: str | None) -> str:
        """Name the first of a record's parents that the target does not hold; blank if it holds all."""
        return next((word for word in words(parents) if word in self.blocked), "")

    def abandon(self, entity: str, sourced_ids: Iterable[str]) -> None:
        """Count records as waiting, since the load has halted."""
        for sourced_id in sourced_ids:
            self.tally.add(entity, sourced_id, "waiting", self.halted)


COLUMN = "agentSourcedIds"
UNFINISHED = 1


@dataclass
class Agents:
    """Which of the users who are `named` as agents the target holds (`there`).

    `later` are the users who wait for their second pass, with the term that the first one earned.
    """

    named: frozenset[str] = frozenset()
    there: set[str] = field(default_factory=set)
    later: dict[str, Term] = field(default_factory=dict)

    def missing(self, record: Json) -> list[str]:
        """The agents of a user that the target does not hold yet."""
        if not self.named:
            return []
        ids = (agent["sourcedId"] for agent in record.get(AGENTS, ()))
        return [sourced_id for sourced_id in ids if sourced_id not in self.there]

    def arrived(self, sourced_id: str) -> None:
        """Take note that a user is in the target."""
        if sourced_id in self.named:
            self.there.add(sourced_id)


def agents_of(job: LoadState, users: pl.DataFrame) -> Agents:
    """Find out which agents of the users to be sent are in the target already, as the ledger knows it."""
    if COLUMN not in users.columns:
        return Agents()
    named = users.select(pl.col(COLUMN).str.split(",").explode().drop_nulls().unique())[COLUMN]
    known = job.ledger.details(job.key, "users", named)
    return Agents(
        frozenset(named), set(known.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"])
    )


def unfinished(fingerprint: pl.Expr) -> pl.Expr:
    """A fingerprint that differs from the one given, and from any drop's by all odds."""
    return fingerprint.xor(pl.lit(UNFINISHED, pl.Int64))


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
        return frame.with_columns(
            pl.Series(FIELDS, [self._ever(one, now) for one, now in rows], dtype=pl.String)
        )

    def _ever(self, sourced_id: str, now: str) -> str:
        unsaid = {name for name in self.last.get(sourced_id, NOTHING) if not self._spoken_of(name)}
        return ",".join(sorted(unsaid | _names(now))) if unsaid else now

    def _spoken_of(self, name: str) -> bool:
        """Whether the drop has the column, or the one whose cell held an object with this name in it."""
        return name in self.said or any(
            name.startswith(f"{one}.") for one in self.said if one.startswith(METADATA)
        )


def filled(job: LoadState, changes: EntityChanges, frame: pl.DataFrame) -> Filled:
    """Ask the ledger about the records of a frame that it knows, and rosters about those that killed runs may have sent."""
    known = frame.filter(pl.col(ACTION) != "create")["sourcedId"]
    sent = job.earlier.get(changes.entity, Earlier()).filled
    if known.is_empty():
        return Filled(sent, changes.said, changes.partial)
    details = job.ledger.details(job.key, changes.entity, known)
    last = {
        **sent,
        **{
            one: _names(fields) for one, fields in details.select("sourcedId", "fields").iter_rows()
        },
    }
    ended = frozenset(details.filter(pl.col("status") == ENDED)["sourcedId"])
    return Filled(last, changes.said, changes.partial, ended)


def _names(fields: str | None) -> frozenset[str]:
    return frozenset(fields.split(",")) if fields else NOTHING
