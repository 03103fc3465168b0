"""One load while it runs: what it works with, what has come of it, and whether it goes on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.errands import Errand, done
from connectors.oneroster.loaded import Result, Tally
from connectors.oneroster.processes import Processes
from connectors.oneroster.target import TargetError
from connectors.oneroster.workers import spread
from transforms.schemas import ENTITIES

Watch = Callable[[str, int, int], None]
STOPPED = "the run was stopped before it"
BROKEN_OFF = "the run broke off before it"
# An id may hold spaces, so that words are told apart by the entity with which each begins.
BETWEEN = re.compile(rf" (?=(?:{'|'.join(ENTITIES)}):)")


@dataclass
class Job:
    """A load under way.

    `intended` are the ids that killed runs may have sent. `blocked` are the records, as
    `entity:sourcedId`, that the target does not hold and that others may refer to. `error` is set
    once the target is of no use any more. `processes` send instead of this one, if there are any.
    """

    target: Client
    ledger: Ledger
    key: FeedKey
    run: str
    batch_size: int
    progress: Watch
    stop: asyncio.Event | None
    intended: dict[str, frozenset[str]]
    processes: Processes | None = None
    tally: Tally = field(default_factory=Tally)
    blocked: set[str] = field(default_factory=set)
    error: TargetError | None = None

    @property
    def halted(self) -> str:
        """Why nothing more is sent; blank while the load goes on."""
        if self.stop and self.stop.is_set():
            return STOPPED
        return BROKEN_OFF if self.error else ""

    async def perform(self, errands: Iterable[Errand], at_once: int = 0) -> dict[int, Result]:
        """Run errands, and give their results by place; those that were not begun are not there."""
        at_once = at_once or self.target.concurrency
        if self.processes:
            results, self.error = await self.processes.run(list(errands), at_once, self.stop)
        else:
            results, self.error = await spread(errands, at_once, lambda errand: done(self.target, errand), self.stop)
        return results

    def waits_for(self, parents: str | None) -> str:
        """Name the first of a record's parents that the target does not hold; blank if it holds all."""
        return next((word for word in BETWEEN.split(parents or "") if word in self.blocked), "")

    def abandon(self, entity: str, sourced_ids: Iterable[str]) -> None:
        """Count records as waiting, since the load has halted."""
        for sourced_id in sourced_ids:
            self.tally.add(entity, sourced_id, "waiting", self.halted)
