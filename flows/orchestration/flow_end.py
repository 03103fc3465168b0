"""How a flow ended, as Prefect sees it: its final state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flows.errors import FAULTS, error_sentence
from flows.reports.run import reasons, verdict
from flows.reports.screen import print_line
from flows.result import FlowEnd, FlowEndName, RunResult

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

# What nobody has to see to; what was rejected is as a person wanted it.
GOOD: tuple[FlowEndName, ...] = ("Completed", "Rejected", "Superseded")
HELD: FlowEndName = "Held"


def flow_end(result: RunResult, drop: str) -> FlowEnd:
    """Say how the flow of one run ended."""
    names: dict[str, FlowEndName] = {"held": "Held", "failed": "Failed", "refused": "Refused"}
    message = " ".join((*reasons(result), *verdict(result, drop)))
    return FlowEnd(names.get(result.status, "Completed"), message, result.as_json())


def final_state(end: FlowEnd) -> State[Any]:
    """Give the final state of a flow run.

    What is held waits for a person. It is not well (green) and has not failed (red), and of the types that Prefect has, and that
    end a run, the one left is `CANCELLED` (grey). Its name is its own.
    """
    # Prefect takes seconds to import, and the command line says how a first load ended without it.
    from prefect.states import Cancelled, Completed, Failed

    if end.name in GOOD:
        return Completed(name=end.name, message=end.message, data=end.outcome)
    if end.name == HELD:
        return Cancelled(name=end.name, message=end.message, data=end.outcome)
    return Failed(name=end.name, message=end.message)  # whose data would have to be an exception


def conducted(work: Callable[[], FlowEnd]) -> State[Any]:
    """Give the final state of a flow's work; what it cannot go on after is said in a sentence, not as a traceback."""
    try:
        return final_state(work())
    except FAULTS as error:
        for note in getattr(error, "__notes__", ()):
            print_line(f"roster: {note}", error=True)
        return final_state(FlowEnd("Failed", error_sentence(error)))
