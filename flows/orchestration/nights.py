"""The scheduled runs of a deployment: which of them count, and what Prefect says of the newest.

The decisions are functions of plain values. `read_nights` and `newest_night` ask the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas import filters
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound

from flows.orchestration.flow_end import HELD
from flows.status import Night, NightState

# The names of the final states of a night that did its work, or most of it.
DONE_NAMES = ("Completed", HELD)
NIGHT_STATES: dict[StateType, NightState] = {
    StateType.SCHEDULED: "pending",
    StateType.PENDING: "pending",
    StateType.PAUSED: "pending",
    StateType.RUNNING: "running",
    StateType.CRASHED: "crashed",
    StateType.FAILED: "failed",
}
MOST_RUNS = 20


@dataclass(frozen=True)
class ScheduledRun:
    """A scheduled run as its server describes it."""

    due: datetime  # when it was first due: its expected start moves when it is postponed
    started: datetime | None  # None if it has never run
    type: StateType
    name: str  # of its state

    @property
    def did_work(self) -> bool:
        """Whether it has ended after it did its work. Held changes are on hold."""
        return self.name in DONE_NAMES and self.type in (StateType.COMPLETED, StateType.CANCELLED)


def superseding(due: datetime, others: Iterable[ScheduledRun]) -> ScheduledRun | None:
    """Return the run that does, or has done, all the work of the run that was due; None if none.

    A run counts only if it has truly started: one that waits may never run.
    - A later night that is running, or has done its work.
    - Any other night that began after the run was due, and has done its work: it read the drop
      that the run would read.
    """
    for other in others:
        is_later = other.due > due and (other.type == StateType.RUNNING or other.did_work)
        began_after = other.started is not None and other.started >= due and other.did_work
        if other.started is not None and (is_later or began_after):
            return other
    return None


def read_nights(deployment: UUID, own: UUID, client: SyncPrefectClient) -> Iterator[ScheduledRun]:
    """Yield the newest scheduled runs of a deployment that have started, but not the run `own`."""
    types = [StateType.RUNNING, StateType.COMPLETED, StateType.CANCELLED]
    state = filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=types))
    runs = client.read_flow_runs(
        deployment_filter=_only(deployment),
        flow_run_filter=filters.FlowRunFilter(state=state),
        sort="START_TIME_DESC",  # type: ignore[arg-type]
        limit=MOST_RUNS,
    )
    for run in runs:
        if run.auto_scheduled and run.state is not None and run.id != own:
            yield ScheduledRun(
                first_due(run, client), run.start_time, run.state.type, run.state.name or ""
            )


def first_due(run: Any, client: SyncPrefectClient) -> datetime:
    """Return when a run was first due. Its expected start moves when it is postponed."""
    states = client.read_flow_run_states(run.id)
    times = [
        state.state_details.scheduled_time for state in states if state.state_details.scheduled_time
    ]
    first: datetime = min(times, default=run.expected_start_time)
    return first


def newest_night(deployment: str, now: datetime, client: SyncPrefectClient) -> Night | None:
    """Return what is known of a deployment (FLOW/NAME) and its newest run that was due.

    None if there is no such deployment.
    """
    try:
        found = client.read_deployment_by_name(deployment)
    except ObjectNotFound:
        return None
    until = filters.FlowRunFilterExpectedStartTime.model_validate({"before_": now})
    runs = client.read_flow_runs(
        deployment_filter=_only(found.id),
        flow_run_filter=filters.FlowRunFilter(expected_start_time=until),
        sort="EXPECTED_START_TIME_DESC",  # type: ignore[arg-type]
        limit=1,
    )
    for run in runs:
        kind = run.state.type if run.state else StateType.PENDING
        state = NIGHT_STATES.get(kind, "ended")
        return Night(found.created, run.expected_start_time, state, run.start_time)
    return Night(found.created)


def _only(deployment: UUID) -> filters.DeploymentFilter:
    return filters.DeploymentFilter(id=filters.DeploymentFilterId(any_=[deployment]))
