"""For how long a feed keeps what its runs left behind; what is over is deleted at the end of a sync."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.archive import Archive
    from connectors.ledger import Ledger
    from flows.job import Job

WAITING = ("open", "approved")


@dataclass(frozen=True)
class Keep:
    """How many `rosters` are kept to go back to, and for how many days the folders of runs and the records of closed plans.

    What a plan needs that waits is kept besides.
    """

    rosters: int = 30
    run_days: int = 90
    closed_plan_days: int = 90


def tidy(job: Job, ledger: Ledger, archive: Archive, now: datetime) -> None:
    """Delete what is over of this feed; `now` is in UTC. The folder of the job's own run stays."""
    needed = {plan.run for plan in ledger.plans(job.key) if plan.status in WAITING}
    archive.forget(job.keep.rosters, spare=needed)
    ledger.prune(job.key, now - timedelta(days=job.keep.closed_plan_days))
    _delete_folders(job, ledger, now - timedelta(days=job.keep.run_days), {*needed, job.run})


def _delete_folders(job: Job, ledger: Ledger, before: datetime, spared: Collection[str]) -> None:
    """Delete the folders of this feed's runs; those of other feeds lie beside them, and are told apart by the ledger alone."""
    for run in ledger.runs(job.key):
        folder = job.folder.with_name(run.id)
        if run.started < before and run.id not in spared and folder.is_dir():
            shutil.rmtree(folder)
