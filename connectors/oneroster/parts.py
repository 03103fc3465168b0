"""A batch in parts that several processes run, each with a share of the requests at once; and their outcomes as one."""

from __future__ import annotations

import asyncio
import pickle

from connectors.oneroster.client import Client
from connectors.oneroster.errands import Errand, done
from connectors.oneroster.loaded import Result
from connectors.oneroster.messages import Batch, Outcome
from connectors.oneroster.target import Target, TargetError
from connectors.oneroster.workers import UNANSWERED, spread


def shares(total: int, count: int) -> list[int]:
    """Share a number among so many, or among fewer if it is smaller: 10 among 3 is 4, 3, 3."""
    count = min(count, total)
    return [total // count + (place < total % count) for place in range(count)]


def in_parts(errands: list[Errand], at_once: int, count: int) -> list[Batch]:
    """Deal errands out to so many processes, or to fewer if there are not as many, or not as many may run at once."""
    dealt = shares(at_once, min(count, max(len(errands), 1)))
    return [Batch(errands[first :: len(dealt)], share) for first, share in enumerate(dealt)]


def joined(outcomes: list[Outcome]) -> tuple[dict[int, Result], TargetError | None]:
    """Put results in the places that their errands had before they were dealt out; the first error counts."""
    results = {
        first + place * len(outcomes): result
        for first, outcome in enumerate(outcomes)
        for place, result in outcome.results.items()
    }
    error = next((outcome.error for outcome in outcomes if outcome.error), "")
    return results, TargetError(error) if error else None


def lost(batch: Batch, sentence: str) -> Outcome:
    """Say that nobody knows what came of a part."""
    unknown = Result("waiting", UNANSWERED, settled=False)
    return Outcome(dict.fromkeys(range(len(batch.errands)), unknown), sentence)


async def run(batch: Batch, client: Client, stop: asyncio.Event | None = None) -> Outcome:
    """Run a part through a client, and say what came of it."""
    requests, retries = client.requests, client.retries
    results, error = await spread(batch.errands, batch.at_once, lambda errand: done(client, errand), stop)
    return Outcome(results, str(error or ""), client.requests - requests, client.retries - retries)


def run_part(message: bytes) -> bytes:
    """Run a part (a pickled `Target` and `Batch`) to its end in this process; give its pickled `Outcome`."""
    target, batch = pickle.loads(message)
    return pickle.dumps(asyncio.run(_run_part(target, batch)), pickle.HIGHEST_PROTOCOL)


async def _run_part(target: Target, batch: Batch) -> Outcome:
    async with Client(target) as client:
        return await run(batch, client)
