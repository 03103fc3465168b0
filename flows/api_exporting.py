"""`roster export --from-api`: writes what a target holds as a OneRoster 1.2 bulk zip."""

from __future__ import annotations

import asyncio

from connectors.rest.drop import read_source
from flows.job import Job
from flows.opening import opened
from flows.watch import Watch
from transforms.raw import Raw
from transforms.roster import Roster
from transforms.sources import normalise
from transforms.uncarrying import uncarried


def roster_of_api(job: Job, watch: Watch) -> Roster:
    """Read all collections of a job's target as a roster. Raises `TargetError` if it cannot be used at all."""
    raw = watch.stage("extract", read_target, job)
    return uncarried(
        watch.stage("normalise", normalise, "oneroster", raw, job.as_written), job.load.carrying.vocabulary
    )


def read_target(job: Job) -> Raw:
    """Read a target as a drop; what of it cannot be read is told, and refuses the export if every roster needs it."""
    with opened(job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds) as address:
        return asyncio.run(read_source(address, "1.2", tuple(address.profile.collections), zone=job.load.carrying.zone))
