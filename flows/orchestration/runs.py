"""A run of the pipeline under Prefect: its stages as tasks, its outcome as artifacts.

Also decides whether a scheduled run is superseded by a later one.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.runtime import deployment, flow_run

from flows.backfills.run import Backfill
from flows.feeds.feed import find_feed_file, state_folder
from flows.job import Job
from flows.make_job import make_job
from flows.options import Command, Options
from flows.orchestration.artifacts import publish_lines, publish_run
from flows.orchestration.flow_end import flow_end
from flows.orchestration.nights import first_due, read_nights, superseding
from flows.orchestration.tasks import Tasks
from flows.pipeline import Pipeline
from flows.reports.backfill import backfill_json, backfill_lines
from flows.reports.run import write_run_files
from flows.result import FlowEnd, RunResult
from flows.run import pipeline_of, run_job
from flows.verify import Verification, compare_feed

OTHER = (
    "The night of {due:%Y-%m-%d %H:%M} UTC began after this one was due, and does all that it "
    "would have done."
)


def options_of(district: str, state: str, command: Command = "sync", **more: Any) -> Options:
    """Return the options that a flow's parameters stand for.

    Raises `SettingsError` if the feed or the state folder is not allowed.
    """
    return Options.of(
        command, find_feed_file(district, os.environ), state=state_folder(state, os.environ), **more
    )


def sync(district: str, state: str, command: Command = "sync", **more: Any) -> FlowEnd:
    """Run a sync, or bring back the roster of the run that `restore` names."""
    return run_to_end(options_of(district, state, command, **more))


def run_to_end(options: Options) -> FlowEnd:
    """Run a job, publish it, and return how it ended."""
    return flow_end(run_and_publish(options), str(options.drop))


def run_and_publish(options: Options) -> RunResult:
    """Run a job, write its files and publish it."""
    return _run_and_publish(options, make_job(options, os.environ), pipeline_of(options))


def replay_step(options: Options, job: Job, pipeline: Pipeline | None) -> RunResult:
    """Run one step of a backfill, and publish it.

    A rehearsal keeps no report that an artifact could link to. The page of the backfill covers it.
    """
    return _run_and_publish(options, job, pipeline)


def _run_and_publish(options: Options, job: Job, pipeline: Pipeline | None) -> RunResult:
    result = run_job(job, Tasks(options.drop.stem), pipeline)
    if not job.rehearsal:
        write_run_files(result, str(options.drop))
        publish_run(result, str(options.drop), options.drop.stem)
    return result


def publish_backfill(found: Backfill, options: Options) -> FlowEnd:
    """Publish a backfill day by day, and return how it ended."""
    lines = backfill_lines(found)
    publish_lines(options.drop.stem, "backfill", lines)
    last = (
        flow_end(found.done[-1][1], str(options.drop)) if found.done else FlowEnd("Completed", "")
    )
    return replace(last, message=" ".join(lines), outcome=backfill_json(found))


def verify(options: Options) -> Verification:
    """Compare what the target holds with the ledger and the last roster."""
    return Tasks(options.drop.stem).stage("verify", compare_feed, make_job(options, os.environ))


def superseded_end() -> FlowEnd | None:
    """Return the end of a scheduled run whose work another one does or has done; else None.

    A run that a person has started is never superseded.
    """
    if not deployment.id:
        return None
    with get_client(sync_client=True) as client:
        own = client.read_flow_run(UUID(flow_run.id))
        if not own.auto_scheduled:
            return None
        due = first_due(own, client)
        other = superseding(due, read_nights(UUID(deployment.id), own.id, client))
    return FlowEnd("Superseded", OTHER.format(due=other.due)) if other else None
