"""Records that killed runs may have sent.

Before it sends records, a run writes their ids into the ledger: the intent. After a kill, the
intended records may be in the target or not.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from connectors.ledger import Ledger
from connectors.roster_archive import Archive
from flows.job import Job
from flows.ownership import with_other_fingerprints
from transforms.changes import IN_TARGET
from transforms.checks.references import LedgerFrames
from transforms.diff import diff
from transforms.records import RosterState

if TYPE_CHECKING:
    from connectors.oneroster.client import Client

# The HTTP client takes time to import, and most runs have no intents: it is imported where one is.
Ids = dict[str, set[str]]


def recover(
    standing: RosterState, known: LedgerFrames, job: Job, ledger: Ledger, archive: Archive
) -> LedgerFrames:
    """Record what killed runs left in the target, and return the records of the ledger.

    Only a sync looks for such records, and only for those that the drop does not have: it would
    send the others again anyway. Raises `TargetError` if the target cannot be used.
    """
    if job.run.command != "sync":
        return known
    unsure = _unsure_ids(standing, known, ledger.intended(job.key))
    if not unsure:
        return known
    asyncio.run(_search_target(unsure, job, ledger, archive))
    return known | {name: frame for name, frame in ledger.known(job.key).items() if name in unsure}


def mark_unsure_records(known: LedgerFrames, job: Job, ledger: Ledger) -> LedgerFrames:
    """Return the records of the ledger, so that intended records differ from any roster.

    Nobody knows what killed runs have sent of them. They get a fingerprint that no drop has, so the
    roster overwrites them.
    """
    intended = ledger.intended(job.key)
    if not intended:
        return known
    from connectors.oneroster.load_state import mark_unfinished

    return {
        name: with_other_fingerprints(frame, ids, mark_unfinished)
        if (ids := intended.get(name))
        else frame
        for name, frame in known.items()
    }


def _unsure_ids(
    standing: RosterState, known: LedgerFrames, intended: dict[str, frozenset[str]]
) -> Ids:
    """Return the intended ids that neither the ledger nor a full snapshot has."""
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


async def _search_target(unsure: Ids, job: Job, ledger: Ledger, archive: Archive) -> None:
    from connectors.oneroster.client import Client
    from flows.send import open_target

    with open_target(
        job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds
    ) as address:
        async with Client(address) as client:
            for name, ids in unsure.items():
                await _search(client, name, ids, job, ledger, archive)


async def _search(
    client: Client, name: str, ids: set[str], job: Job, ledger: Ledger, archive: Archive
) -> None:
    """Look for records as the archived rosters have them, the newest roster first, until found."""
    from connectors.oneroster.recover import recover_records

    for records in reversed(list(archive.contents(name))):
        rows = records.accepted.filter(pl.col("sourcedId").is_in(list(ids)))
        if rows.height:
            part = diff({name: replace(records, accepted=rows)}, {}).changes[name]
            ids -= set(await recover_records(client, ledger, job.key, job.run.id, part))
