"""The comparison behind `roster verify`: entity by entity, what the target holds beside the ledger and the last roster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.archive import Archive
from connectors.ledger import Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.target import Target as Address
from connectors.oneroster.verifying import Expected, Verified, Watch, expected, verified
from flows.job import Job
from flows.opening import opened
from transforms.schemas import ENTITIES


@dataclass(frozen=True)
class Verification:
    """What a comparison came to; `roster` is the run whose roster was compared, blank if none is kept."""

    entities: dict[str, Verified]
    roster: str = ""
    requests: int = 0

    @property
    def found(self) -> int:
        """How many records are not as they should be."""
        return sum(one.found.height for one in self.entities.values())


def compared(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> Verification:
    """Compare each entity of which the ledger has records. Nothing is sent, and nothing is written.

    Raises `TargetError` if the target cannot be read.
    """
    known = ledger.known(job.key)
    if not known:
        return Verification({})
    roster = next(reversed(archive.runs()), "")
    collections = job.load.target.profile.collections
    names = [name for name in ENTITIES if name in known and name in collections]
    # One entity of the roster at a time: a district's need not all be in memory.
    wanted = (
        expected(collections[name], known[name], archive.judged(roster, name) if roster else None) for name in names
    )
    with opened(job.load.target, job.run.state, job.load.concurrency) as address:
        return asyncio.run(_compared(address, wanted, roster, watch))


async def _compared(address: Address, wanted: Iterator[Expected], roster: str, watch: Watch) -> Verification:
    async with Client(address) as client:
        entities = {one.entity: await verified(client, one, watch) for one in wanted}
        return Verification(entities, roster, client.requests)
