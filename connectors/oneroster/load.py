"""Step 7 and 8 of the straight line: send the changes of a run to the target, and record what arrived.

Parents first; deletes last, and children first (API reference, section 9).
"""

from __future__ import annotations

import asyncio

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.job import Job, Watch
from connectors.oneroster.loaded import Loaded, Trouble
from connectors.oneroster.removals import send_removals
from connectors.oneroster.upserts import send_upserts
from transforms.changes import ACTION, Changes
from transforms.schemas import ENTITIES

BATCH_SIZE = 1000

__all__ = ["BATCH_SIZE", "Loaded", "Trouble", "Watch", "load"]


def _silent(entity: str, done: int, total: int) -> None:
    """Tell nobody."""


def _held(changes: Changes) -> set[str]:
    """What waits for a person and is not in the target, so that nothing may name it yet."""
    new = pl.col(ACTION).is_in(["create", "revive"])
    return {f"{name}:{one}" for name, part in changes.items() for one in part.held.filter(new)["sourcedId"]}


async def load(changes: Changes, target: Client, ledger: Ledger, key: FeedKey, run: str, *,
               batch_size: int = BATCH_SIZE, progress: Watch = _silent,
               stop: asyncio.Event | None = None) -> Loaded:  # fmt: skip
    """Send changes in batches of `batch_size` records, and say what became of each record.

    `progress` is called with an entity, how many of its records are done and how many there are.
    Once `stop` is set, the batch under way is finished and the rest waits. If the target cannot be
    used, the load breaks off, and `Loaded.error` says why.
    """
    job = Job(target, ledger, key, run, batch_size, progress, stop, ledger.intended(key))
    before = target.requests
    job.blocked |= _held(changes)
    carried = [changes[name] for name in ENTITIES if name in changes and name in COLLECTIONS]
    for part in carried:
        await send_upserts(job, part)
    for part in reversed(carried):
        await send_removals(job, part)
    error = str(job.error) if job.error else None
    return Loaded(job.tally.counts(), tuple(job.tally.troubles), job.tally.notices(), target.requests - before, error)
