"""The restore flow: brings a district's target back to the roster of an earlier run, through the same guard."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.orchestration.flow_end import conducted
from flows.orchestration.runs import sync


@flow(name="restore", flow_run_name="restore {run} of {district}")
def restore(
    district: str = "sample_data/demo.toml", run: str = "", dry_run: bool = True, state: str = ""
) -> State[Any]:
    """Send what makes the target hold the roster that `run` accepted; with `dry_run`, only say what that would be."""
    return conducted(
        lambda: sync(district, state, restore=run, command="plan" if dry_run else "sync")
    )
