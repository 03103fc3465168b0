"""The form on which a person approves or rejects a plan, while the flow run waits.

Prefect shows it on its pages, and takes it through its API.
"""

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

LOOK_SECONDS = 5  # between two looks whether the form was filled in
# Prefect fails a run with a message of its own when its time is up, so it gets this much more.
LONGER_SECONDS = 600


class ApprovalForm(RunInput):
    """What is asked: what is to become of the plan, who decides, and why."""

    decision: Literal["approve", "reject"] = Field(
        description="approve: send exactly this. reject: send nothing of it."
    )
    by: str = Field(min_length=1, max_length=200, description="Who decides; kept with the plan.")
    note: str = Field("", max_length=2000, description="Why; kept with the plan.")


def approval_form(name: str, hours: float) -> Ask:
    """Return a function that asks by a form, and waits for so many hours.

    The form shows the plan, and so does an artifact of the feed `name`.
    """

    def ask(plan: Plan, text: str) -> DecisionRequest | None:
        publish_markdown(text, name, "plan", f"Plan {plan.id}: what is on hold")
        answer = asyncio.run(_wait_for_form(plan.id, text, hours * 3600))
        if answer is None:
            _resume()
            return None
        return DecisionRequest(answer.decision, answer.by, answer.note)

    return ask


async def _wait_for_form(plan: str, text: str, seconds: float) -> ApprovalForm | None:
    """Pause the flow run until the form is filled in; None if that takes too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await apause_flow_run(
                wait_for_input=ApprovalForm.with_initial_data(description=text),
                timeout=round(seconds) + LONGER_SECONDS,
                poll_interval=LOOK_SECONDS,
                key=f"plan-{plan}",
            )
    return None


def _resume() -> None:
    """Set the flow run to running again: a paused run cannot set its own final state."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(flow_run.id), Running(), force=True)
