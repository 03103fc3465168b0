"""Runs a job of the command line under Prefect: its stages as tasks, its outcome as artifacts."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import Any

from flows.backfills.outcome import Backfill
from flows.backfills.report import as_json, lines
from flows.feeds.files import feed_file, state_folder
from flows.job import Job
from flows.make_job import Options, make_job
from flows.orchestration.artifacts import page, publish
from flows.orchestration.ended import Ended, ended
from flows.orchestration.tasks import Tasks
from flows.pipeline import Pipeline
from flows.restore_roster import restore_roster
from flows.result import Command, Result
from flows.running import execute, finish
from flows.verification import Verification
from flows.verifying import compared_all


def options_of(district: str, state: str, command: Command = "sync", **more: Any) -> Options:
    """Say what a flow's parameters mean, as the command line would. Raises `SettingsError`."""
    return Options(command, feed_file(district, os.environ), state=state_folder(state, os.environ), **more)


def sync(district: str, state: str, command: Command = "sync", **more: Any) -> Ended:
    """Run the straight line, or bring back the roster of the run that `restore` names."""
    options = options_of(district, state, command, **more)
    return ended(performed(options), str(options.drop))


def performed(options: Options) -> Result:
    """Run a job, write what it leaves behind and show it."""
    job = make_job(options, os.environ)
    pipeline: Pipeline | None = partial(restore_roster, run=options.restore) if options.restore is not None else None
    result = execute(job, Tasks(options.drop.stem), pipeline)
    finish(result, str(options.drop))
    publish(result, str(options.drop), options.drop.stem)
    return result


def replayed(options: Options, job: Job, pipeline: Pipeline | None) -> Result:
    """Run one step of a backfill, and show it; of a rehearsal, whose report is gone when it is over, the page tells."""
    result = execute(job, Tasks(options.drop.stem), pipeline)
    if not job.rehearsal:
        publish(result, str(options.drop), options.drop.stem)
    return result


def shown(found: Backfill, options: Options) -> Ended:
    """Show a backfill day by day, and say how it ended."""
    told = lines(found)
    page(options.drop.stem, "backfill", told)
    last = ended(found.done[-1][1], str(options.drop)) if found.done else Ended("Completed", "")
    return replace(last, message=" ".join(told), outcome=as_json(found))


def verified(options: Options) -> Verification:
    """Compare what the target holds with the ledger and the last roster."""
    return Tasks(options.drop.stem).stage("verify", compared_all, make_job(options, os.environ))
