"""The approval flow: shows a person an open plan, then sends or discards it."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.decide import decide
from flows.orchestration.approval_form import approval_form
from flows.orchestration.flow_end import run_flow
from flows.orchestration.runs import options_of, run_to_end
from flows.result import FlowEnd


@flow(name="approval", flow_run_name="approval for {district}")
def approval(
    district: str = "sample_data/demo.toml", plan: str = "", hours: float = 24, state: str = ""
) -> State[Any]:
    """Ask a person about a district's plan for so many hours. A blank `plan` means the open one.

    Ends as Completed if the plan was sent, as Rejected or Timed out if nothing will be sent, and
    otherwise as Failed.
    """

    def decide_plan() -> FlowEnd:
        options = options_of(district, state)
        return decide(
            plan, options, os.environ, approval_form(options.drop.stem, hours), run_to_end
        )

    return run_flow(decide_plan)
