"""Runs a job of the command line under Prefect: its stages as tasks, its outcome as artifacts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flows.backfills.run import Backfill
from flows.feeds.feed import feed_file, state_folder
from flows.job import Job
from flows.make_job import make_job
from flows.options import Command, Options
from flows.orchestration.artifacts import page, publish
from flows.orchestration.flow_end import HELD, flow_end
from flows.orchestration.tasks import Tasks
from flows.pipeline import Pipeline
from flows.reports.backfill import backfill_json, backfill_lines
from flows.reports.run import write_run_files
from flows.result import FlowEnd, RunResult
from flows.run import pipeline_of, run_job
from flows.verify import Verification, compare_feed

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


def options_of(district: str, state: str, command: Command = "sync", **more: Any) -> Options:
    """Say what a flow's parameters mean, as the command line would. Raises `SettingsError`."""
    return Options.of(
        command, feed_file(district, os.environ), state=state_folder(state, os.environ), **more
    )


def sync(district: str, state: str, command: Command = "sync", **more: Any) -> FlowEnd:
    """Run the straight line, or bring back the roster of the run that `restore` names."""
    return end_of_run(options_of(district, state, command, **more))


def end_of_run(options: Options) -> FlowEnd:
    """Run a job, show it, and say how it ended."""
    return flow_end(perform(options), str(options.drop))


def perform(options: Options) -> RunResult:
    """Run a job, write what it leaves behind and show it."""
    result = run_job(make_job(options, os.environ), Tasks(options.drop.stem), pipeline_of(options))
    write_run_files(result, str(options.drop))
    publish(result, str(options.drop), options.drop.stem)
    return result


def replay_step(options: Options, job: Job, pipeline: Pipeline | None) -> RunResult:
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
    last = (
        flow_end(found.done[-1][1], str(options.drop)) if found.done else FlowEnd("Completed", "")
    )
    return replace(last, message=" ".join(lines), outcome=backfill_json(found))


def verify(options: Options) -> Verification:
    """Compare what the target holds with the ledger and the last roster."""
    return Tasks(options.drop.stem).stage("verify", compare_feed, make_job(options, os.environ))


LATER = (
    "The night of {due:%Y-%m-%d %H:%M} UTC, which is later, does all that this one would have done."
)
# A run that waits for the one before it is put off by so much at most, again and again.
PUT_OFF = timedelta(minutes=10)


def superseded() -> FlowEnd | None:
    """End a night of a schedule, if a later one of the same deployment is due: it waits to begin, runs or is done.

    What somebody has started by hand is always done.
    """
    from prefect.client.orchestration import get_client
    from prefect.runtime import deployment, flow_run

    if not deployment.id:
        return None
    with get_client(sync_client=True) as client:
        own = client.read_flow_run(UUID(flow_run.id))
        if not own.auto_scheduled:
            return None
        due, now = _due(own, client), datetime.now(UTC)
        later = [one for one in _dues(UUID(deployment.id), client, now) if due < one <= now]
    return FlowEnd("Superseded", LATER.format(due=max(later))) if later else None


def _dues(deployment: UUID, client: SyncPrefectClient, now: datetime) -> Iterator[datetime]:
    """When the nights of a deployment were due that came to something, or may yet."""
    from prefect.client.schemas import filters
    from prefect.client.schemas.objects import StateType

    # Not those that failed, nor those that were cancelled by somebody: what they have left undone is to be done.
    well = [
        StateType.SCHEDULED,
        StateType.PENDING,
        StateType.RUNNING,
        StateType.COMPLETED,
        StateType.CANCELLED,
    ]
    state = filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=well))
    until = filters.FlowRunFilterExpectedStartTime.model_validate({"before_": now + PUT_OFF})
    found = client.read_flow_runs(
        deployment_filter=filters.DeploymentFilter(
            id=filters.DeploymentFilterId(any_=[deployment])
        ),
        flow_run_filter=filters.FlowRunFilter(state=state, expected_start_time=until),
        sort="EXPECTED_START_TIME_DESC",  # type: ignore[arg-type]
        limit=20,
    )
    stopped = StateType.CANCELLED
    done = [
        one for one in found if one.state and (one.state.type != stopped or one.state.name == HELD)
    ]
    yield from (_due(one, client) for one in done if one.auto_scheduled)


def _due(run: Any, client: SyncPrefectClient) -> datetime:
    """When a run was due at first; its expected start moves each time that it is put off."""
    states = client.read_flow_run_states(run.id)
    moments = [
        state.state_details.scheduled_time for state in states if state.state_details.scheduled_time
    ]
    first: datetime = min(moments, default=run.expected_start_time)
    return first
