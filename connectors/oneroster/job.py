"""One load while it runs: what it works with, what has come of it, and whether it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.earlier import Earlier
from connectors.oneroster.errands import Errand
from connectors.oneroster.loaded import Result, Tally
from connectors.oneroster.target import TargetError
from transforms.ancestry import words

Watch = Callable[[str, int, int], None]
STOPPED = "the run was stopped before it"
BROKEN_OFF = "the run broke off before it"
Sent = tuple[dict[int, Result], TargetError | None]


class Sender(Protocol):
    """Runs the errands of a batch, here or elsewhere. `requests` counts what it sent, `retries` what of it was sent again."""

    @property
    def requests(self) -> int: ...

    @property
    def retries(self) -> int: ...

    async def run(self, batch: str, errands: list[Errand], at_once: int, stop: asyncio.Event | None) -> Sent:  # fmt: skip
        """Give the result of each errand by its place, none for those that were not begun, and why it broke off."""


@dataclass
class Job:
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

    async def perform(self, batch: str, errands: Iterable[Errand], at_once: int = 0) -> dict[int, Result]:
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
