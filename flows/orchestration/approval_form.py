"""The form by which a person decides on a plan, in Prefect's pages or through its API, while the flow run waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Literal
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from prefect.states import Running
from pydantic import Field

from connectors.ledger import Plan
from flows.decide import Ask, DecisionRequest
from flows.orchestration.artifacts import publish_markdown

LOOK_SECONDS, LONGER_SECONDS = 5, 600


class ApprovalForm(RunInput):
    """What is asked: what is to become of the plan, who decides, and why."""

    decision: Literal["approve", "reject"] = Field(
        description="approve: send exactly this. reject: send nothing of it."
    )
    by: str = Field(min_length=1, max_length=200, description="Who decides; kept with the plan.")
    note: str = Field("", max_length=2000, description="Why; kept with the plan.")


async def _filled_in(plan: str, text: str, seconds: float) -> ApprovalForm | None:
    """Wait for the form; the server would fail the run with words of its own, and is given more time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await apause_flow_run(
                wait_for_input=ApprovalForm.with_initial_data(description=text),
                timeout=round(seconds) + LONGER_SECONDS,
                poll_interval=LOOK_SECONDS,
                key=f"plan-{plan}",
            )
    return None


def _go_on() -> None:
    """Let the flow run tell its end itself, which it cannot while it is paused."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(flow_run.id), Running(), force=True)


def form(name: str, hours: float) -> Ask:
    """Ask by a form for so many hours; the plan is shown on it, and as an artifact of the feed `name`."""

    def ask(plan: Plan, text: str) -> DecisionRequest | None:
        publish_markdown(text, name, "plan", f"Plan {plan.id}: what waits for a person")
        told = asyncio.run(_filled_in(plan.id, text, hours * 3600))
        if told is None:
            _go_on()
            return None
        return DecisionRequest(told.decision, told.by, told.note)

    return ask
