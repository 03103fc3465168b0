"""Step 7 and 8 of the straight line: send the changes of a run to the target, and record what arrived.

Parents first; deletes last, and children first (API reference, section 9).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.earlier import Rosters, earlier
from connectors.oneroster.here import Here
from connectors.oneroster.job import STOPPED, Job, Sender, Watch
from connectors.oneroster.loaded import Loaded, Trouble
from connectors.oneroster.removals import send_removals
from connectors.oneroster.target import Stopped
from connectors.oneroster.upserts import send_upserts
from transforms.changes import ACTION, Changes, EntityChanges
from transforms.schemas import ENTITIES

BATCH_SIZE = 1000
WHY_STOPPED = "it was stopped, and the requests under way were finished. Run again to go on."

__all__ = ["BATCH_SIZE", "Loaded", "Trouble", "Watch", "load"]


def _silent(entity: str, done: int, total: int) -> None:
    """Tell nobody."""


def _held(changes: Changes) -> set[str]:
    """What waits for a person and is not in the target, so that nothing may name it yet."""
    new = pl.col(ACTION).is_in(["create", "revive"])
    return {f"{name}:{one}" for name, part in changes.items() for one in part.held.filter(new)["sourcedId"]}


def _awaited(changes: Changes, job: Job) -> set[str]:
    """What plans of runs before hold, unless this run sends it."""
    found = set()
    for name, ids in job.ledger.awaited(job.key).items():
        own = set(changes[name].upserts["sourcedId"]) if name in changes else set()
        found |= {f"{name}:{one}" for one in ids if one not in own}
    return found


async def load(changes: Changes, target: Client, ledger: Ledger, key: FeedKey, run: str, *,
               batch_size: int = BATCH_SIZE, progress: Watch = _silent,
               stop: asyncio.Event | None = None, sender: Sender | None = None,
               rosters: Rosters = lambda *_: ()) -> Loaded:  # fmt: skip
    """Send changes in batches of `batch_size` records, and say what became of each record.

    `progress` is called with an entity, how many of its records are done and how many there are. `sender` sends
    instead of `target`, where there is one. `rosters` tells what killed runs may have sent: what the target holds is
    ours from such a run if it says the same.
    Once `stop` is set, the requests under way are finished and the rest waits. Then, and if the target cannot
    be used, the load breaks off, and `Loaded.error` says why.
    """
    job = Job(target, sender or Here(target), ledger, key, run, batch_size, progress, stop, ledger.intended(key))
    requests, retries = _made(job)
    job.earlier = {
        name: earlier(part, job.intended[name], rosters) for name, part in changes.items() if name in job.intended
    }
    job.blocked |= _held(changes) | _awaited(changes, job)
    async with _stopping(job):
        await _each(job, [changes[name] for name in ENTITIES if name in changes and name in target.profile.collections])
    return Loaded(
        counts=job.tally.counts(),
        troubles=tuple(job.tally.troubles),
        notices=job.tally.notices(),
        requests=_made(job)[0] - requests,
        retries=_made(job)[1] - retries,
        error=_error(job),
    )


async def _each(job: Job, carried: list[EntityChanges]) -> None:
    for part in carried:
        await send_upserts(job, part)
    for part in reversed(carried):
        await send_removals(job, part)


@asynccontextmanager
async def _stopping(job: Job) -> AsyncIterator[None]:
    """Let what waits for its turn, or to be sent again, wait no longer once the load is stopped."""

    async def end() -> None:
        if job.stop and await job.stop.wait():
            job.target.end(Stopped(WHY_STOPPED))

    ending = asyncio.create_task(end())
    try:
        yield
    finally:
        ending.cancel()


def _made(job: Job) -> tuple[int, int]:
    """How many requests were made so far, and how many of them again."""
    return job.sender.requests, job.sender.retries


def _error(job: Job) -> str | None:
    """Why the load broke off; a stop that came when nothing was left is none."""
    stopped = any(trouble.detail == STOPPED for trouble in job.tally.troubles)
    return WHY_STOPPED if stopped else str(job.error) if job.error else None
