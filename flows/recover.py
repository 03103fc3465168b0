"""What killed runs may have done to the target: each record of which they wrote an intent is looked at again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import polars as pl

from connectors.ledger import Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.load_state import unfinished
from connectors.oneroster.recover import recover_records
from connectors.roster_archive import Archive
from flows.job import Job
from flows.send import open_target
from transforms.changes import IN_TARGET
from transforms.checks.references import Known
from transforms.diff import diff
from transforms.records import RosterState

Ids = dict[str, set[str]]


def recover(
    standing: RosterState, known: Known, job: Job, ledger: Ledger, archive: Archive
) -> Known:
    """Give what the ledger knows, once the records are entered that killed runs have left in the target and the drop does not have.

    Raises `TargetError` if the target cannot be used.
    """
    left = _left(standing, known, ledger.intended(job.key)) if job.run.command == "sync" else {}
    if not left:
        return known
    asyncio.run(_recovered(left, job, ledger, archive))
    return known | {name: frame for name, frame in ledger.known(job.key).items() if name in left}


def with_doubts(known: Known, job: Job, ledger: Ledger) -> Known:
    """Give what to compare a roster with: of what killed runs may have sent, nobody knows what it says now.

    It gets a fingerprint that no drop has, so that the roster is laid over it.
    """
    intended = ledger.intended(job.key)
    fingerprint = pl.col("fingerprint")
    return {
        name: frame.with_columns(
            pl.when(pl.col("sourcedId").is_in(ids))
            .then(unfinished(fingerprint))
            .otherwise(fingerprint)
            .alias("fingerprint")
        )
        if (ids := intended.get(name))
        else frame
        for name, frame in known.items()
    }


def _left(standing: RosterState, known: Known, intended: dict[str, frozenset[str]]) -> Ids:
    """The ids that a killed run may have sent, and that neither the ledger nor a full snapshot has."""
    found = {}
    for name, ids in intended.items():
        if name in standing and standing[name].mode == "bulk":
            held = (
                known[name].filter(pl.col("status").is_in(IN_TARGET))["sourcedId"]
                if name in known
                else ()
            )
            if unknown := set(ids.difference(held, standing[name].accepted["sourcedId"])):
                found[name] = unknown
    return found


async def _recovered(left: Ids, job: Job, ledger: Ledger, archive: Archive) -> None:
    with open_target(
        job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds
    ) as address:
        async with Client(address) as client:
            for name, ids in left.items():
                await _looked_for(client, name, ids, job, ledger, archive)


async def _looked_for(
    client: Client, name: str, ids: set[str], job: Job, ledger: Ledger, archive: Archive
) -> None:
    """Look for records of an entity as each roster has them that is kept, the newest first, until they are found."""
    for judged in reversed(list(archive.contents(name))):
        rows = judged.accepted.filter(pl.col("sourcedId").is_in(list(ids)))
        if rows.height:
            part = diff({name: replace(judged, accepted=rows)}, {}).changes[name]
            ids -= set(await recover_records(client, ledger, job.key, job.run.id, part))
