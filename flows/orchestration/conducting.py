"""Runs a job of the command line under Prefect: its stages as tasks, its outcome as artifacts."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from flows.backfills.outcome import Backfill
from flows.feeds.files import feed_file, state_folder
from flows.job import Job
from flows.make_job import make_job
from flows.options import Command, Options
from flows.orchestration.artifacts import page, publish
from flows.orchestration.ended import flow_end
from flows.orchestration.tasks import Tasks
from flows.pipeline import Pipeline
from flows.reports.backfill import backfill_json, backfill_lines
from flows.reports.run import write_run_files
from flows.result import FlowEnd, Result
from flows.running import pipeline_of, run_job
from flows.verification import Verification
from flows.verifying import compared_all


def options_of(district: str, state: str, command: Command = "sync", **more: Any) -> Options:
    """Say what a flow's parameters mean, as the command line would. Raises `SettingsError`."""
    return Options.of(command, feed_file(district, os.environ), state=state_folder(state, os.environ), **more)


def sync(district: str, state: str, command: Command = "sync", **more: Any) -> FlowEnd:
    """Run the straight line, or bring back the roster of the run that `restore` names."""
    return end_of_run(options_of(district, state, command, **more))


def end_of_run(options: Options) -> FlowEnd:
    """Run a job, show it, and say how it ended."""
    return flow_end(perform(options), str(options.drop))


def perform(options: Options) -> Result:
    """Run a job, write what it leaves behind and show it."""
    result = run_job(make_job(options, os.environ), Tasks(options.drop.stem), pipeline_of(options))
    write_run_files(result, str(options.drop))
    publish(result, str(options.drop), options.drop.stem)
    return result


def replay_step(options: Options, job: Job, pipeline: Pipeline | None) -> Result:
    """Run one step of a backfill, and show it; of a rehearsal, whose report is gone when it is over, the page tells."""
    result = run_job(job, Tasks(options.drop.stem), pipeline)
    if not job.rehearsal:
        write_run_files(result, str(options.drop))
        publish(result, str(options.drop), options.drop.stem)
    return result


def show_backfill(found: Backfill, options: Options) -> FlowEnd:
    """Show a backfill day by day, and say how it ended."""
    lines = backfill_lines(found)
    page(options.drop.stem, "backfill", lines)
    last = flow_end(found.done[-1][1], str(options.drop)) if found.done else FlowEnd("Completed", "")
    return replace(last, message=" ".join(lines), outcome=backfill_json(found))


def verify(options: Options) -> Verification:
    """Compare what the target holds with the ledger and the last roster."""
    return Tasks(options.drop.stem).stage("verify", compared_all, make_job(options, os.environ))
