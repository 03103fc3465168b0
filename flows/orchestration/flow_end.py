"""How a flow ends in Prefect: the result or the error of its work becomes its final state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flows.reported_errors import REPORTED_ERRORS, error_sentence
from flows.reports.output import lasting_output, outlast_readers_of_consoles
from flows.reports.run import hold_reasons, run_verdict
from flows.reports.screen import print_line
from flows.result import FlowEnd, FlowEndName, RunResult

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

# The ends after which there is nothing to do. `Rejected` is a person's decision on a plan.
GOOD: tuple[FlowEndName, ...] = ("Completed", "Rejected", "Superseded")
HELD: FlowEndName = "Held"
# A flow run is a process whose log goes through a console of Prefect into a pipe of its worker.
outlast_readers_of_consoles()


def flow_end(result: RunResult, drop: str) -> FlowEnd:
    """Return how the flow of one run ended."""
    names: dict[str, FlowEndName] = {"held": "Held", "failed": "Failed", "refused": "Refused"}
    message = " ".join((*hold_reasons(result), *run_verdict(result, drop)))
    return FlowEnd(names.get(result.status, "Completed"), message, result.as_json())


def final_state(end: FlowEnd) -> State[Any]:
    """Return the final state of a flow run.

    A held run waits for a person: it is neither done (green) nor failed (red). The only other type
    of final state that Prefect has for it is `CANCELLED` (gray), here with the name `Held`.
    """
    # Prefect takes seconds to import, and a first load on the command line ends without it.
    from prefect.states import Cancelled, Completed, Failed

    if end.name in GOOD:
        return Completed(name=end.name, message=end.message, data=end.outcome)
    if end.name == HELD:
        return Cancelled(name=end.name, message=end.message, data=end.outcome)
    # Without the outcome: the data of a failed state would have to be an exception.
    return Failed(name=end.name, message=end.message)


def run_flow(work: Callable[[], FlowEnd]) -> State[Any]:
    """Do the work of a flow, and return its final state. A fault is a sentence, not a traceback."""
    with lasting_output():
        try:
            return final_state(work())
        except REPORTED_ERRORS as error:
            for note in getattr(error, "__notes__", ()):
                print_line(f"roster: {note}", error=True)
            return final_state(FlowEnd("Failed", error_sentence(error)))
