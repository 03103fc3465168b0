"""The nightly flow: the straight line for one feed, with its stages and batches as tasks."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.options import takes_options
from flows.orchestration.flow_end import conducted
from flows.orchestration.runs import superseded, sync


@flow(name="nightly", flow_run_name="nightly {district}")
@takes_options("nightly")
def nightly(
    district: str = "sample_data/demo.toml", target: str | None = None, state: str = "", **told: Any
) -> State[Any]:
    """Load a district's drop: `district` is the name of its feed's file in $ROSTER_FEEDS.

    Ends as Completed, Held (what waits for a person must not block the next night), Refused or Failed; and as
    Superseded, with nothing done, if a later night of the same deployment is due already.
    """
    return conducted(lambda: superseded() or sync(district, state, target=target, **told))
