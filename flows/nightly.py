"""The nightly flow: the pipeline for one feed, with its stages and batches as tasks."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.options import takes_options
from flows.orchestration.flow_end import run_flow
from flows.orchestration.runs import superseded_end, sync


@flow(name="nightly", flow_run_name="nightly {district}")
@takes_options("nightly")
def nightly(
    district: str = "sample_data/demo.toml", target: str | None = None, state: str = "", **told: Any
) -> State[Any]:
    """Load a district's drop. `district` is the name of the feed file in $ROSTER_FEEDS.

    Ends as Completed, Held, Refused or Failed. It ends as Superseded, with nothing done, if a later
    night of the same deployment is already due. Changes that are held must not block the next
    night.
    """
    return run_flow(lambda: superseded_end() or sync(district, state, target=target, **told))
