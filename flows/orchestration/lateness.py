"""Late runs are caught up once: a night that begins when a later one is due, or done, has nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flows.orchestration.ended import HELD
from flows.result import FlowEnd

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

LATER = "The night of {due:%Y-%m-%d %H:%M} UTC, which is later, does all that this one would have done."
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
    well = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.COMPLETED, StateType.CANCELLED]
    state = filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=well))
    until = filters.FlowRunFilterExpectedStartTime.model_validate({"before_": now + PUT_OFF})
    found = client.read_flow_runs(
        deployment_filter=filters.DeploymentFilter(id=filters.DeploymentFilterId(any_=[deployment])),
        flow_run_filter=filters.FlowRunFilter(state=state, expected_start_time=until),
        sort="EXPECTED_START_TIME_DESC",  # type: ignore[arg-type]
        limit=20,
    )
    stopped = StateType.CANCELLED
    done = [one for one in found if one.state and (one.state.type != stopped or one.state.name == HELD)]
    yield from (_due(one, client) for one in done if one.auto_scheduled)


def _due(run: Any, client: SyncPrefectClient) -> datetime:
    """When a run was due at first; its expected start moves each time that it is put off."""
    states = client.read_flow_run_states(run.id)
    moments = [state.state_details.scheduled_time for state in states if state.state_details.scheduled_time]
    first: datetime = min(moments, default=run.expected_start_time)
    return first
