"""Which night takes the place of another: only one that truly started, or has done its work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import StateType

from flows.orchestration.nights import ScheduledRun, superseding

DUE = datetime(2026, 11, 24, 2, tzinfo=UTC)


def other(due: float, started: float | None, type_: StateType, name: str) -> ScheduledRun:
    """Another night, due and started so many hours after the one that asks."""
    began = None if started is None else DUE + timedelta(hours=started)
    return ScheduledRun(DUE + timedelta(hours=due), began, type_, name)


@pytest.mark.parametrize(
    ("night", "is_superseding"),
    [
        # A later night that waits may never run, however it is called.
        (other(24, None, StateType.SCHEDULED, "Late"), False),
        (other(24, None, StateType.SCHEDULED, "AwaitingConcurrencySlot"), False),
        (other(24, None, StateType.PENDING, "Pending"), False),
        # One that has begun does the work, and one that has ended well has done it.
        (other(24, 24, StateType.RUNNING, "Running"), True),
        (other(24, 24, StateType.COMPLETED, "Completed"), True),
        (other(24, 24, StateType.CANCELLED, "Held"), True),
        (other(24, 24, StateType.FAILED, "Failed"), False),
        (other(24, 24, StateType.CRASHED, "Crashed"), False),
        (other(24, 24, StateType.CANCELLED, "Cancelled"), False),
        (other(24, 24, StateType.COMPLETED, "Superseded"), False),
        # An earlier night counts if it began late enough, and ended well.
        (other(-24, 1, StateType.COMPLETED, "Completed"), True),
        (other(-24, 1, StateType.CANCELLED, "Held"), True),
        (other(-24, 1, StateType.RUNNING, "Running"), False),
        (other(-24, 1, StateType.CRASHED, "Crashed"), False),
        (other(-24, -24, StateType.COMPLETED, "Completed"), False),
        (other(-24, -0.1, StateType.COMPLETED, "Completed"), False),
        (other(-24, 1, StateType.COMPLETED, "Superseded"), False),
    ],
)
def test_only_work_that_is_done_takes_the_place_of_a_night(
    night: ScheduledRun, is_superseding: bool
) -> None:
    """Whatever else the deployment has."""
    idle = other(48, None, StateType.SCHEDULED, "Scheduled")

    assert (night if is_superseding else None) == superseding(DUE, [idle, night])
    assert superseding(DUE, []) is None
