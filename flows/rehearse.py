"""A rehearsal: the pipeline on a copy of the ledger. Nothing is sent.

Every change counts as acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from connectors.ledger import Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.load import load
from connectors.oneroster.outcomes import LoadResult
from connectors.oneroster.senders import RehearsalSender
from connectors.oneroster.target import Endpoint
from connectors.roster_archive import Archive
from flows.job import Job
from flows.ownership import feed_order
from flows.scratch import scratch_folder
from transforms.stages import Stage

# The address of a client that sends nothing.
NOWHERE = "https://nowhere.invalid"


@contextmanager
def rehearsal(job: Job) -> Iterator[Job]:
    """Yield the job for a rehearsal, with its own ledger, archive and folders of runs.

    They are deleted when the body ends. Questions to the target still go to the target itself.
    """
    with scratch_folder(job.run.state) as folder:
        load = replace(job.load, scratch=folder)
        own = replace(job, load=load, run=replace(job.run, ledger="", notify=None))
        with Ledger.reading(job.ledger_at) as ledger, Ledger(own.ledger_at) as scratch:
            ledger.copy_into(scratch)
        _copy_archive(job, own)
        yield own


def _copy_archive(job: Job, own: Job) -> None:
    """Copy the archived rosters.

    Files of an archive are never written again, so that hard links will do.
    """
    rosters, copy = (Archive(one.home / "rosters", one.key).folder for one in (job, own))
    if rosters.is_dir():
        shutil.copytree(rosters, copy, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # not every file system has hard links
        shutil.copy2(source, target)


def rehearse(stages: Sequence[Stage], job: Job, ledger: Ledger) -> LoadResult:
    """Record all stages in the copied ledger as if the target had acknowledged them.

    A change that would wait for its parent waits here too.
    """
    return asyncio.run(_load_nowhere(stages, job, ledger))


async def _load_nowhere(stages: Sequence[Stage], job: Job, ledger: Ledger) -> LoadResult:
    async with Client(Endpoint(NOWHERE, profile=job.load.target.profile)) as client:
        return await load(
            stages,
            client,
            ledger,
            job.key,
            job.run.id,
            batch_size=job.load.batch_size,
            sender=RehearsalSender(),
            order=feed_order(job, ledger),
        )
