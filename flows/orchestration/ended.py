"""How a flow ended, in one word and a few sentences; what Prefect makes of it is its final state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from flows.faults import FAULTS, sentence
from flows.report import reasons, verdict
from flows.result import Result

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

Name = Literal["Completed", "Held", "Failed", "Refused", "Rejected", "Timed out", "Not ready", "Superseded"]
# What nobody has to see to; what was rejected is as a person wanted it.
GOOD: tuple[Name, ...] = ("Completed", "Rejected", "Superseded")
HELD: Name = "Held"


@dataclass(frozen=True)
class Ended:
    """The end of a flow: its name, what people read of it, and the run as one object, if there was one."""

    name: Name
    message: str
    outcome: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> State[Any]:
        """The final state of the flow run.

        What is held waits for a person. It is not well (green) and has not failed (red), and of the types that Prefect has, and that
        end a run, the one left is `CANCELLED` (grey). Its name is its own.
        """
        from prefect.states import Cancelled, Completed, Failed

        if self.name in GOOD:
            return Completed(name=self.name, message=self.message, data=self.outcome)
        if self.name == HELD:
            return Cancelled(name=self.name, message=self.message, data=self.outcome)
        return Failed(name=self.name, message=self.message)  # whose data would have to be an exception


def ended(result: Result, drop: str) -> Ended:
    """Say how the flow of one run ended."""
    names: dict[str, Name] = {"held": "Held", "failed": "Failed", "refused": "Refused"}
    return Ended(
        names.get(result.status, "Completed"), " ".join((*reasons(result), *verdict(result, drop))), result.as_json()
    )


def conducted(work: Callable[[], Ended]) -> State[Any]:
    """Give the final state of a flow's work; what it cannot go on for is told in a sentence, not as a traceback."""
    try:
        return work().state
    except FAULTS as error:
        return Ended("Failed", sentence(error)).state
