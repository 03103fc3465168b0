"""The open target: loading changes into it, and reading from it.

The embedded sandbox runs only while its target is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    contextmanager,
    nullcontext,
)
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
from connectors.oneroster.processes import ProcessSender
from connectors.oneroster.profile import Collection
from connectors.oneroster.read import read_pages
from connectors.oneroster.retry import RetryPolicy
from connectors.oneroster.senders import InProcessSender
from connectors.oneroster.target import Endpoint, TargetError
from connectors.private_files import make_private_file
from connectors.roster_archive import Archive
from flows.job import Job
from flows.ownership import feed_order
from flows.target import Credentials, Target
from flows.watch import Watch, stop_on_signal
from transforms.findings import ROW
from transforms.schemas.vocabularies import TOBEDELETED
from transforms.stages import Stage


def send_stages(
    stages: Sequence[Stage], job: Job, ledger: Ledger, watch: Watch
) -> loader.LoadResult:
    """Send the stages batch by batch. The ledger records the outcomes after each batch."""
    with _open_target_of(job) as address:
        return asyncio.run(_load(stages, address, job, ledger, watch))


async def _load(
    stages: Sequence[Stage], address: Endpoint, job: Job, ledger: Ledger, watch: Watch
) -> loader.LoadResult:
    # If worker processes send, this process takes none of the target's slots.
    own_address = replace(address, slots=None) if job.load.workers > 1 else address
    async with Client(own_address) as client:
        local_sender: AbstractAsyncContextManager[Sender] = (
            ProcessSender(job.load.workers, address)
            if job.load.workers > 1
            else nullcontext(InProcessSender(client))
        )
        async with watch.sending(local_sender, address, job) as sender:
            with stop_on_signal(watch.warn, ledger.stop_waiting) as stop:
                return await loader.load(
                    stages,
                    client,
                    ledger,
                    job.key,
                    job.run.id,
                    batch_size=job.load.batch_size,
                    progress=watch.advance,
                    stop=stop,
                    sender=sender,
                    rosters=partial(_archived_records, Archive(job.home / "rosters", job.key)),
                    order=feed_order(job, ledger),
                )


def _archived_records(archive: Archive, entity: str, ids: pl.Series) -> Iterator[pl.DataFrame]:
    """Yield the records with some ids from each archived roster."""
    for judged in archive.contents(entity):
        yield judged.accepted.filter(pl.col("sourcedId").is_in(ids.implode())).drop(ROW)


def read_active_ids(entities: list[str], job: Job) -> dict[str, pl.Series]:
    """Read the ids of all active records of some entities from the target, page by page."""
    with _open_target_of(job) as address:
        return asyncio.run(_active_ids(entities, address))


async def _active_ids(entities: list[str], address: Endpoint) -> dict[str, pl.Series]:
    found = {}
    async with Client(address) as client:
        for name in entities:
            pages_of = read_pages(
                client, name, filter="status='active'", fields="sourcedId", limit=None
            )
            ids = [record["sourcedId"] async for page in pages_of for record in page]
            found[name] = pl.Series("sourcedId", ids, dtype=pl.String)
    return found


def count_active(wanted: dict[str, list[str]], job: Job) -> int:
    """Look up some ids of each entity, and count those that the target holds as active."""
    with _open_target_of(job) as address:
        return asyncio.run(_count_active(wanted, address))


async def _count_active(wanted: dict[str, list[str]], address: Endpoint) -> int:
    found = 0
    async with Client(address) as client:
        for name, ids in wanted.items():
            for one in filter(wire.is_addressable, ids):
                found += await _is_active(client.profile.collections[name], one, client)
    return found


async def _is_active(collection: Collection, sourced_id: str, client: Client) -> bool:
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.outcome_of(request, answer)
    if outcome.kind not in ("done", "missing"):
        raise TargetError(
            f"{client.target.host} does not show {collection.name} {sourced_id}: {outcome.detail}"
        )
    record = wire.record_in(collection, answer)
    return record is not None and record.get("status") != TOBEDELETED


def _open_target_of(job: Job) -> AbstractContextManager[Endpoint]:
    return open_target(
        job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds
    )


# The only client of a sandbox; `roster sandbox` uses the same word as its secret.
CLIENT = "sandbox"
DATABASE = "sandbox.db"


@contextmanager
def open_target(
    target: Target, state: Path, concurrency: int = 10, patience: float = RetryPolicy.seconds
) -> Iterator[Endpoint]:
    """Yield the endpoint of a target, with the `patience` for one request (seconds).

    The embedded sandbox runs inside this context, and has a secret that no other program knows.
    Runs against another target share its slots.
    """
    if target.url is None:
        # The server takes a while to import, and other targets do not need it.
        from connectors.oneroster.sandbox import Sandbox

        make_private_file(state / DATABASE)
        secret = token_urlsafe()
        with Sandbox(state / DATABASE, clients={CLIENT: secret}, profile=target.profile) as server:
            yield Endpoint(
                server.url,
                server.token_url,
                CLIENT,
                secret,
                concurrency=concurrency,
                profile=target.profile,
            )
        return
    credentials = target.credentials or Credentials()
    secrets = {
        name: secret.value for name, secret in vars(credentials).items() if secret is not None
    }
    slots = state / "slots" / sha256(target.name.encode()).hexdigest()[:32]
    yield Endpoint(
        target.url,
        target.token_url or "",
        concurrency=concurrency,
        patience=RetryPolicy(seconds=patience),
        # A command that only reads creates no state folder.
        slots=slots if state.is_dir() else None,
        profile=target.profile,
        **secrets,
    )
