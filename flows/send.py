"""Steps 7 and 8: the target is named, opened and loaded; the embedded sandbox is started only if there is something to send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

import polars as pl

from connectors.ledger import Ledger
from connectors.oneroster import load as loader
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.load_state import Sender
from connectors.oneroster.processes import Processes
from connectors.oneroster.profile import Collection
from connectors.oneroster.read import pages
from connectors.oneroster.retry import RetryPolicy
from connectors.oneroster.senders import InProcessSender
from connectors.oneroster.target import Endpoint as Address
from connectors.oneroster.target import TargetError
from connectors.private_files import make_private_file
from connectors.roster_archive import Archive
from flows.job import Job
from flows.target import Credentials, Target
from flows.watch import Watch, stopping
from transforms.changes import Changes
from transforms.findings import ROW
from transforms.schemas.vocabularies import TOBEDELETED


def load(changes: Changes, job: Job, ledger: Ledger, watch: Watch) -> loader.Loaded:
    """Send the changes batch by batch; the ledger is written after each."""
    with open_target(
        job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds
    ) as address:
        return asyncio.run(_load(changes, address, job, ledger, watch))


def active_ids(entities: list[str], job: Job) -> dict[str, pl.Series]:
    """Read from the target, page by page, which records of some entities are there."""
    with open_target(
        job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds
    ) as address:
        return asyncio.run(_active_ids(entities, address))


def count_active(wanted: dict[str, list[str]], job: Job) -> int:
    """Look up some ids of each entity, and say how many of them the target holds as active."""
    with open_target(
        job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds
    ) as address:
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
        raise TargetError(
            f"{client.target.host} does not show {collection.name} {sourced_id}: {outcome.detail}"
        )
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


async def _load(
    changes: Changes, address: Address, job: Job, ledger: Ledger, watch: Watch
) -> loader.Loaded:
    # Where others send, this process takes none of the target's slots.
    here = replace(address, slots=None) if job.load.workers > 1 else address
    async with Client(here) as client:
        local: AbstractAsyncContextManager[Sender] = (
            Processes(job.load.workers, address)
            if job.load.workers > 1
            else nullcontext(InProcessSender(client))
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


# The one client that a sandbox knows; the secret of `roster sandbox` is the same word.
CLIENT = "sandbox"
DATABASE = "sandbox.db"


@contextmanager
def open_target(
    target: Target, state: Path, concurrency: int = 10, patience: float = RetryPolicy.seconds
) -> Iterator[Address]:
    """Give the address of a target, and the `patience` for one request (seconds).

    The embedded sandbox runs inside of this context, and has a secret that no other program knows. Runs against another
    target share its slots.
    """
    if target.url is None:
        from connectors.oneroster.sandbox import Sandbox

        make_private_file(state / DATABASE)
        secret = token_urlsafe()
        with Sandbox(state / DATABASE, clients={CLIENT: secret}, profile=target.profile) as server:
            yield Address(
                server.url,
                server.token_url,
                CLIENT,
                secret,
                concurrency=concurrency,
                profile=target.profile,
            )
        return
    held = target.credentials or Credentials()
    secrets = {name: secret.value for name, secret in vars(held).items() if secret is not None}
    slots = state / "slots" / sha256(target.name.encode()).hexdigest()[:32]
    yield Address(
        target.url,
        target.token_url or "",
        concurrency=concurrency,
        patience=RetryPolicy(seconds=patience),
        # Who only looks leaves nothing behind.
        slots=slots if state.is_dir() else None,
        profile=target.profile,
        **secrets,
    )
