"""The state of a load: what it works with, what happened to its records, and whether it goes on.

It also holds what the loader must remember of a record: its agents, and the columns it filled.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.earlier_rosters import EarlierBodies
from connectors.oneroster.operations import AGENTS, Operation
from connectors.oneroster.outcomes import RecordResult, Tally
from connectors.oneroster.target import TargetError
from transforms.changes import ACTION, ENDED, FIELDS, IN_TARGET, Term
from transforms.checks.references import split_parents
from transforms.ownership import FeedOrder, Share
from transforms.payload import METADATA, Json
from transforms.stages import UpsertStage

Progress = Callable[[str, int, int], None]
STOPPED = "the run was stopped before it"
BROKEN_OFF = "the run stopped early, before it was sent"
BatchResult = tuple[dict[int, RecordResult], TargetError | None]
AGENT_IDS = "agentSourcedIds"
UNFINISHED = 1
NO_COLUMNS: frozenset[str] = frozenset()
# The share of a record that no other feed has sent.
ALONE = Share()
# Columns that we filled when an enrollment was missing from a drop, whatever columns the drop has.
LAST_DAY = frozenset({"endDate"})


class Sender(Protocol):
    """Carries out the operations of a batch, in this process or elsewhere."""

    @property
    def requests(self) -> int:
        """How many requests it sent, retries included."""

    @property
    def retries(self) -> int:
        """How many of them were retries."""

    async def run(
        self, batch: str, errands: list[Operation], at_once: int, stop: asyncio.Event | None
    ) -> BatchResult:
        """Return the result of each operation by its place, and the error that ended the batch.

        An operation that was not begun has no result.
        """


@dataclass
class LoadState:
    """A load under way."""

    target: Client
    sender: Sender
    ledger: Ledger
    key: FeedKey
    run: str
    batch_size: int
    progress: Progress
    stop: asyncio.Event
    # Ids that killed runs may have sent, by entity.
    intended: dict[str, frozenset[str]]
    tally: Tally = field(default_factory=Tally)
    # Records that the target does not have and others may refer to, as `entity:sourcedId`.
    blocked: set[str] = field(default_factory=set)
    # What killed runs may have sent of the records to create, by entity.
    earlier: Mapping[str, EarlierBodies] = field(default_factory=dict)
    # The order of the feeds that share records.
    order: FeedOrder = field(default_factory=FeedOrder)
    # How many records of each entity are to be sent.
    due: Counter[str] = field(default_factory=Counter)
    # Set once the target cannot be used any more.
    error: TargetError | None = None

    @property
    def halted(self) -> str:
        """Why nothing more is sent; blank while the load goes on."""
        if self.stop.is_set():
            return STOPPED
        return BROKEN_OFF if self.error else ""

    def report_progress(self, entity: str) -> None:
        """Report how many records of an entity are done."""
        self.progress(entity, self.tally.done(entity), self.due[entity])

    async def perform(
        self, batch: str, errands: Iterable[Operation], at_once: int = 0
    ) -> dict[int, RecordResult]:
        """Carry out the operations of a batch, and return the results by place.

        An operation that was not begun has no result.
        """
        at_once = at_once or self.target.concurrency
        results, self.error = await self.sender.run(batch, list(errands), at_once, self.stop)
        return results

    def waits_for(self, parents: str | None) -> str:
        """Return the first parent that the target does not have; blank if it has all."""
        return next((word for word in split_parents(parents) if word in self.blocked), "")

    def abandon(self, entity: str, sourced_ids: Iterable[str]) -> None:
        """Count records as waiting, since the load has halted."""
        for sourced_id in sourced_ids:
            self.tally.add(entity, sourced_id, "waiting", self.halted)


@dataclass
class Agents:
    """Which agents the target has already, and which users must wait for theirs."""

    # Ids of all agents of the users to be sent.
    named: frozenset[str] = frozenset()
    # The agents that the target has.
    there: set[str] = field(default_factory=set)
    # Users who wait for the second pass, with their result of the first one.
    later: dict[str, Term] = field(default_factory=dict)

    def missing(self, record: Json) -> list[str]:
        """Return the agents of a user that the target does not have yet."""
        if not self.named:
            return []
        ids = (agent["sourcedId"] for agent in record.get(AGENTS, ()))
        return [sourced_id for sourced_id in ids if sourced_id not in self.there]

    def arrived(self, sourced_id: str) -> None:
        """Note that a user is in the target."""
        if sourced_id in self.named:
            self.there.add(sourced_id)


def agents_of(job: LoadState, users: pl.DataFrame) -> Agents:
    """Return the agents of the users to be sent, and those that the ledger has in the target."""
    if AGENT_IDS not in users.columns:
        return Agents()
    named = users.select(pl.col(AGENT_IDS).str.split(",").explode().drop_nulls().unique())[
        AGENT_IDS
    ]
    known = job.ledger.details(job.key, "users", named)
    return Agents(
        frozenset(named), set(known.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"])
    )


def mark_unfinished(fingerprint: pl.Expr) -> pl.Expr:
    """Return another fingerprint, which almost certainly differs from any drop's too."""
    return fingerprint.xor(pl.lit(UNFINISHED, pl.Int64))


@dataclass(frozen=True)
class FilledColumns:
    """Which columns were filled when records were last sent, and so which ones to clear now."""

    # The columns that were filled, by id.
    last: Mapping[str, frozenset[str]]
    # The columns that the drop has.
    said: frozenset[str]
    # Lists in which the items of others stay.
    partial: frozenset[str] = NO_COLUMNS
    # Records to which we gave a last day when they were missing from a drop.
    ended: frozenset[str] = NO_COLUMNS
    # This feed's share of each record that other feeds have sent too.
    shares: Mapping[str, Share] = field(default_factory=dict)

    def gone(self, sourced_id: str, now: str) -> frozenset[str]:
        """Return the columns to clear: filled then, blank now, and present in the drop.

        Columns that another feed fills stay. Those of a feed that no longer has the record count as
        filled by us.
        """
        share = self.shares.get(sourced_id, ALONE)
        last = self.last.get(sourced_id, NO_COLUMNS) | share.lost
        gone = frozenset(filter(self._in_drop, last - _columns_in(now)))
        if sourced_id in self.ended:
            gone |= LAST_DAY - _columns_in(now)
        return gone - share.taken

    def to_record(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Keep in the ledger the columns that we filled once and that this drop does not have.

        Columns that belong to other feeds by now are theirs.
        """
        rows = zip(frame["sourcedId"], frame[FIELDS], strict=True)
        return frame.with_columns(
            pl.Series(FIELDS, [self._ever_filled(one, now) for one, now in rows], dtype=pl.String)
        )

    def _ever_filled(self, sourced_id: str, now: str) -> str:
        last = self.last.get(sourced_id, NO_COLUMNS) - self.shares.get(sourced_id, ALONE).above
        not_in_drop = {name for name in last if not self._in_drop(name)}
        return ",".join(sorted(not_in_drop | _columns_in(now))) if not_in_drop else now

    def _in_drop(self, name: str) -> bool:
        """Return whether the drop has the column, or the metadata object that contains it."""
        return name in self.said or any(
            name.startswith(f"{one}.") for one in self.said if one.startswith(METADATA)
        )


def filled_columns(
    job: LoadState, stage: UpsertStage, frame: pl.DataFrame, shares: Mapping[str, Share]
) -> FilledColumns:
    """Look up which columns were filled when the records of a frame were last sent.

    The ledger knows the records that it holds. Earlier rosters have those that killed runs may have
    sent.
    """
    known = frame.filter(pl.col(ACTION) != "create")["sourcedId"]
    sent = job.earlier.get(stage.entity, EarlierBodies()).filled
    if known.is_empty():
        return FilledColumns(sent, stage.said, stage.partial, shares=shares)
    details = job.ledger.details(job.key, stage.entity, known)
    last = {
        **sent,
        **{
            one: _columns_in(fields)
            for one, fields in details.select("sourcedId", "fields").iter_rows()
        },
    }
    ended = frozenset(details.filter(pl.col("status") == ENDED)["sourcedId"])
    return FilledColumns(last, stage.said, stage.partial, ended, shares)


def _columns_in(fields: str | None) -> frozenset[str]:
    return frozenset(fields.split(",")) if fields else NO_COLUMNS
