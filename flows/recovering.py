"""What killed runs may have done to the target: each record of which they wrote an intent is looked at again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import polars as pl

from connectors.archive import Archive
from connectors.ledger import Ledger
from connectors.oneroster.agents import unfinished
from connectors.oneroster.client import Client
from connectors.oneroster.recovering import recover
from flows.job import Job
from flows.opening import opened
from transforms.changes import IN_TARGET
from transforms.checks.references import Known
from transforms.diff import diff
from transforms.judged import Standing

Ids = dict[str, set[str]]


def recovered(standing: Standing, known: Known, job: Job, ledger: Ledger, archive: Archive) -> Known:
    """Give what the ledger knows, as far as no killed run has sent anything else since.

    Records that such a run left in the target are entered, if the drop does not have them. Of those that are known, nobody
    knows what they say there now: they get a fingerprint that no drop has, so that the drop is laid over them.
    Raises `TargetError` if the target cannot be used.
    """
    intended = ledger.intended(job.key)
    left = _left(standing, known, intended) if job.command == "sync" else {}
    if left:
        asyncio.run(_recovered(left, job, ledger, archive))
        known = known | {name: frame for name, frame in ledger.known(job.key).items() if name in left}
    return {name: _in_doubt(frame, intended.get(name, frozenset())) for name, frame in known.items()}


def _in_doubt(known: pl.DataFrame, ids: frozenset[str]) -> pl.DataFrame:
    if not ids:
        return known
    fingerprint = pl.when(pl.col("sourcedId").is_in(ids)).then(unfinished(pl.col("fingerprint")))
    return known.with_columns(fingerprint.otherwise("fingerprint").alias("fingerprint"))


def _left(standing: Standing, known: Known, intended: dict[str, frozenset[str]]) -> Ids:
    """The ids that a killed run may have sent, and that neither the ledger nor a full snapshot has."""
    found = {}
    for name, ids in intended.items():
        if name in standing and standing[name].mode == "bulk":
            held = known[name].filter(pl.col("status").is_in(IN_TARGET))["sourcedId"] if name in known else ()
            if unknown := set(ids.difference(held, standing[name].accepted["sourcedId"])):
                found[name] = unknown
    return found


async def _recovered(left: Ids, job: Job, ledger: Ledger, archive: Archive) -> None:
    with opened(job.target, job.state, job.concurrency, job.patience_seconds) as address:
        async with Client(address) as client:
            for name, ids in left.items():
                await _looked_for(client, name, ids, job, ledger, archive)


async def _looked_for(client: Client, name: str, ids: set[str], job: Job, ledger: Ledger, archive: Archive) -> None:
    """Look for records of an entity as each roster has them that is kept, the newest first, until they are found."""
    for judged in reversed(list(archive.contents(name))):
        rows = judged.accepted.filter(pl.col("sourcedId").is_in(list(ids)))
        if rows.height:
            part = diff({name: replace(judged, accepted=rows)}, {}).changes[name]
            ids -= set(await recover(client, ledger, job.key, job.run, part))
