"""Runs a job: under the lock of its feed, with what it leaves in the ledger, and what it tells."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial

from connectors.archive import Archive
from connectors.ledger import Ledger
from flows.approve import approve
from flows.job import Job
from flows.notices.notifying import notify, notifying_of_failure
from flows.options import Options
from flows.pipeline import Pipeline, run_pipeline
from flows.recording import begin, finish, noting_failure, with_history, with_newest_files
from flows.restore_roster import restore_roster
from flows.result import Result
from flows.watch import Watch


def pipeline_of(options: Options) -> Pipeline | None:
    """Give what `restore` runs in place of the nine steps; None for any other command."""
    return partial(restore_roster, run=options.restore) if options.restore is not None else None


def run_job(job: Job, watch: Watch, pipeline: Pipeline | None = None) -> Result:
    """Run a job under the lock of its feed, if it sends anything, and keep in the ledger what it came to.

    `pipeline` is what it runs if that is neither the drop's nine steps nor the approval of a plan.
    """
    whole = pipeline is None and not job.run.approve
    pipeline = pipeline or (approve if job.run.approve else run_pipeline)
    with Ledger(job.ledger_at) as ledger:
        archive = Archive(job.home / "rosters", job.key, ledger.forgotten())
        lock = ledger.hold(job.key, job.run.id) if job.run.command == "sync" else nullcontext()
        with lock, watch:
            if job.run.command == "sync":
                watch.say(f"Target: {job.load.target.name}")
            job = with_history(job, ledger, archive)
            with notifying_of_failure(job, ledger, watch):
                run = begin(job, ledger)
                with noting_failure(run, job, ledger):
                    result = pipeline(with_newest_files(job, archive), ledger, archive, watch)
                result = finish(result, run, job, ledger, archive)
            return notify(result, job, ledger, whole=whole)
