"""The restore flow: brings a target back to the roster of an earlier run, through the guard."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.orchestration.flow_end import run_flow
from flows.orchestration.runs import sync


@flow(name="restore", flow_run_name="restore {run} of {district}")
def restore(
    district: str = "sample_data/demo.toml", run: str = "", dry_run: bool = True, state: str = ""
) -> State[Any]:
    """Bring the target back to the roster of `run`. A `dry_run` only reports the changes."""
    return run_flow(
        lambda: sync(district, state, restore=run, command="plan" if dry_run else "sync")
    )
