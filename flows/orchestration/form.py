"""The form by which a person decides on a plan, in Prefect's pages or through its API, while the flow run waits."""

from __future__ import annotations

from typing import Literal

from prefect import pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from pydantic import Field

from connectors.ledger import Plan
from flows.deciding import Ask, Decision
from flows.orchestration.artifacts import show

LOOK_SECONDS = 5


class Form(RunInput):
    """What is asked: what is to become of the plan, who decides, and why."""

    decision: Literal["approve", "reject"] = Field(
        description="approve: send exactly this. reject: send nothing of it."
    )
    by: str = Field(min_length=1, max_length=200, description="Who decides; kept with the plan.")
    note: str = Field("", max_length=2000, description="Why; kept with the plan.")


def form(name: str, hours: float) -> Ask:
    """Ask by a form for so many hours; the plan is shown on it, and as an artifact of the feed `name`."""

    def ask(plan: Plan, text: str) -> Decision | None:
        show(text, name, "plan", f"Plan {plan.id}: what waits for a person")
        try:
            told = pause_flow_run(
                wait_for_input=Form.with_initial_data(description=text),
                timeout=round(hours * 3600),
                poll_interval=LOOK_SECONDS,
                key=f"plan-{plan.id}",
            )
        except FlowPauseTimeout:
            return None
        return Decision(told.decision, told.by, told.note)

    return ask
