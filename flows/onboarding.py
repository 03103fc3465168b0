"""The onboarding flow: a district's first load, from preflight to verification."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.first_load import Means, first_load
from flows.orchestration.approval_form import form
from flows.orchestration.artifacts import page
from flows.orchestration.flow_end import conducted
from flows.orchestration.runs import options_of, perform, verify
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
            Means(Tasks(name), form(name, hours), perform, verify, partial(page, name)),
        )

    return conducted(load_district)
