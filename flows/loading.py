"""Steps 7 and 8: the target is named, opened and loaded; the embedded sandbox is started only if there is something to send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import partial

import polars as pl

from connectors.archive import Archive
from connectors.ledger import Ledger
from connectors.oneroster import load as loader
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.here import Here
from connectors.oneroster.job import Sender
from connectors.oneroster.processes import Processes
from connectors.oneroster.profile import Collection
from connectors.oneroster.reading import pages
from connectors.oneroster.target import Target as Address
from connectors.oneroster.target import TargetError
from flows.job import Job
from flows.opening import opened
from flows.stopping import stopping
from flows.watch import Watch
from transforms.changes import Changes
from transforms.findings import ROW
from transforms.schemas.vocabularies import TOBEDELETED


def load(changes: Changes, job: Job, ledger: Ledger, watch: Watch) -> loader.Loaded:
    """Send the changes batch by batch; the ledger is written after each."""
    with opened(job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds) as address:
        return asyncio.run(_load(changes, address, job, ledger, watch))


def active_ids(entities: list[str], job: Job) -> dict[str, pl.Series]:
    """Read from the target, page by page, which records of some entities are there."""
    with opened(job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds) as address:
        return asyncio.run(_active_ids(entities, address))


def count_active(wanted: dict[str, list[str]], job: Job) -> int:
    """Look up some ids of each entity, and say how many of them the target holds as active."""
    with opened(job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds) as address:
        return asyncio.run(_count_active(wanted, address))


async def _count_active(wanted: dict[str, list[str]], address: Address) -> int:
    found = 0
    async with Client(address) as client:
        for name, ids in wanted.items():
            for one in filter(wire.addressable, ids):
                found += await _is_active(client.profile.collections[name], one, client)
    return found


async def _is_active(collection: Collection, sourced_id: str, client: Client) -> bool:
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.understood(request, answer)
    if outcome.kind not in ("done", "missing"):
        raise TargetError(f"{client.target.host} does not show {collection.name} {sourced_id}: {outcome.detail}")
    record = wire.record_in(collection, answer)
    return record is not None and record.get("status") != TOBEDELETED


async def _active_ids(entities: list[str], address: Address) -> dict[str, pl.Series]:
    found = {}
    async with Client(address) as client:
        for name in entities:
            pages_of = pages(client, name, filter="status='active'", fields="sourcedId", limit=None)
            ids = [record["sourcedId"] async for page in pages_of for record in page]
            found[name] = pl.Series("sourcedId", ids, dtype=pl.String)
    return found


async def _load(changes: Changes, address: Address, job: Job, ledger: Ledger, watch: Watch) -> loader.Loaded:
    # Where others send, this process takes none of the target's slots.
    here = replace(address, slots=None) if job.load.workers > 1 else address
    async with Client(here) as client:
        local: AbstractAsyncContextManager[Sender] = (
            Processes(job.load.workers, address) if job.load.workers > 1 else nullcontext(Here(client))
        )
        async with watch.sending(local, address, job) as sender:
            with stopping(watch.warn) as stop:
                return await loader.load(
                    changes,
                    client,
                    ledger,
                    job.key,
                    job.run.id,
                    batch_size=job.load.batch_size,
                    progress=watch.advance,
                    stop=stop,
                    sender=sender,
                    rosters=partial(_said, Archive(job.home / "rosters", job.key)),
                )


def _said(archive: Archive, entity: str, ids: pl.Series) -> Iterator[pl.DataFrame]:
    """What each roster that is kept says of the records with some ids."""
    for judged in archive.contents(entity):
        yield judged.accepted.filter(pl.col("sourcedId").is_in(ids.implode())).drop(ROW)
