"""The onboarding flow: a district's first load, from preflight to verification."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.first_load import FirstLoadMeans, first_load
from flows.orchestration.approval_form import approval_form
from flows.orchestration.artifacts import publish_lines
from flows.orchestration.flow_end import run_flow
from flows.orchestration.runs import options_of, run_and_publish, verify
from flows.orchestration.tasks import Tasks
from flows.result import FlowEnd


@flow(name="onboarding", flow_run_name="onboarding of {district}")
def onboarding(
    district: str = "sample_data/demo.toml", hours: float = 72, state: str = ""
) -> State[Any]:
    """Load a district for the first time. A person has so many hours to approve the plan.

    Ends as Completed once the load is verified; as Not ready, Refused, Rejected or Timed out if
    nothing was sent; otherwise as Failed.
    """

    def load_district() -> FlowEnd:
        options = options_of(district, state)
        name = options.drop.stem
        return first_load(
            options,
            os.environ,
            FirstLoadMeans(
                Tasks(name),
                approval_form(name, hours),
                run_and_publish,
                verify,
                partial(publish_lines, name),
            ),
        )

    return run_flow(load_district)
