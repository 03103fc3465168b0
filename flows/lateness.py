"""Late runs are caught up once: a night that is still waiting when a later one is due has nothing left to do."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flows.ended import Ended

LATER = (
    "A later night of this feed is due already ({due:%Y-%m-%d %H:%M} UTC), and does all that this one would have done."
)


def superseded() -> Ended | None:
    """End a night of a schedule that was late, if a later one of the same deployment waits to begin.

    What somebody has started by hand is always done.
    """
    from prefect.runtime import deployment, flow_run

    if not deployment.id:
        return None
    due = _due_later(UUID(deployment.id), UUID(flow_run.id))
    return Ended("Superseded", LATER.format(due=due)) if due else None


def _due_later(deployment: UUID, run: UUID) -> datetime | None:
    """When the last night is due that waits behind a run; None if the run is not of the schedule, or none waits."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas import filters
    from prefect.client.schemas.objects import StateType

    waiting = filters.FlowRunFilterState(
        type=filters.FlowRunFilterStateType(any_=[StateType.SCHEDULED, StateType.PENDING])
    )
    with get_client(sync_client=True) as client:
        own = client.read_flow_run(run)
        if not own.auto_scheduled or own.expected_start_time is None:
            return None
        moments = {"after_": own.expected_start_time, "before_": datetime.now(UTC)}
        window = filters.FlowRunFilterExpectedStartTime.model_validate(moments)
        found = client.read_flow_runs(
            deployment_filter=filters.DeploymentFilter(id=filters.DeploymentFilterId(any_=[deployment])),
            flow_run_filter=filters.FlowRunFilter(state=waiting, expected_start_time=window),
        )
    later = [one.expected_start_time for one in found if one.auto_scheduled and one.id != run]
    return max((one for one in later if one and one > own.expected_start_time), default=None)
