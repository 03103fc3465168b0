"""A rehearsal: the whole line, against a copy of the ledger in which every change counts as acknowledged; nothing is sent."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from connectors.ledger import Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.load import load
from connectors.oneroster.outcomes import Loaded
from connectors.oneroster.senders import Acknowledging
from connectors.oneroster.target import Endpoint as Address
from connectors.roster_archive import Archive
from flows.job import Job
from flows.scratch import scratch_folder
from transforms.changes import Changes

# Where a client would send, if anything were sent.
NOWHERE = "https://nowhere.invalid"


@contextmanager
def rehearsal(job: Job) -> Iterator[Job]:
    """Give the job as it is rehearsed: with ledger, archive and folders of runs of its own, until the body is over.

    What it asks of the target, it asks the target itself.
    """
    with scratch_folder(job.run.state) as folder:
        load = replace(job.load, scratch=folder)
        own = replace(job, load=load, run=replace(job.run, ledger="", notify=None))
        with Ledger.reading(job.ledger_at) as ledger, Ledger(own.ledger_at) as scratch:
            ledger.copy_into(scratch)
        _copy_archive(job, own)
        yield own


def _copy_archive(job: Job, own: Job) -> None:
    """Have the same rosters: files of an archive are never written again, so that a second name for each will do."""
    rosters, copy = (Archive(one.home / "rosters", one.key).folder for one in (job, own))
    if rosters.is_dir():
        shutil.copytree(rosters, copy, copy_function=_linked)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # not every file system has links
        shutil.copy2(source, target)


def rehearse(changes: Changes, job: Job, ledger: Ledger) -> Loaded:
    """Record in the copy all that would be sent, as if the target had acknowledged it; what would wait, waits."""
    return asyncio.run(_loaded(changes, job, ledger))


async def _loaded(changes: Changes, job: Job, ledger: Ledger) -> Loaded:
    async with Client(Address(NOWHERE, profile=job.load.target.profile)) as client:
        return await load(
            changes,
            client,
            ledger,
            job.key,
            job.run.id,
            batch_size=job.load.batch_size,
            sender=Acknowledging(),
        )
