"""Ways to carry out a batch: through a client of this process, or as a rehearsal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from connectors.oneroster.client import Client
from connectors.oneroster.load_state import BatchResult
from connectors.oneroster.operations import ID_OF_DOTS, Action, Operation, carry_out
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.target import TargetError
from connectors.oneroster.wire import is_addressable
from transforms.changes import REMOVALS, Term


class InProcessSender:
    """Carries out operations through a client of this process."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def requests(self) -> int:
        """How many requests the client sent, retries included."""
        return self._client.requests

    @property
    def retries(self) -> int:
        """How many of them were retries."""
        return self._client.retries

    async def run(
        self, _batch: str, errands: list[Operation], at_once: int, stop: asyncio.Event | None
    ) -> BatchResult:
        """Carry out operations, up to `at_once` at a time; one that was not begun has no result."""
        return await run_concurrently(
            errands, at_once, lambda errand: carry_out(self._client, errand), stop
        )


OUTCOME_UNKNOWN = "the run stopped early, and it is not known whether it arrived"
Item = TypeVar("Item")
Work = Callable[[Item], Awaitable[RecordResult]]


async def run_concurrently(
    items: Iterable[Item], workers: int, work: Work[Item], stop: asyncio.Event | None = None
) -> BatchResult:
    """Give each item to one of the workers, and return the results by place in `items`.

    After a `TargetError`, or once `stop` is set, nothing new is begun and what is under way is
    finished. The first error is returned. An item without a result was not begun.
    """
    results: dict[int, RecordResult] = {}
    errors: list[TargetError] = []
    numbered = enumerate(items)

    async def take() -> None:
        for place, item in numbered:
            try:
                results[place] = await work(item)
            except TargetError as error:
                errors.append(error)
                if error.unsure:
                    results[place] = RecordResult("failed", OUTCOME_UNKNOWN, settled=False)
            if errors or (stop and stop.is_set()):
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(take())
    return results, errors[0] if errors else None


TERMS: dict[Action, Term] = {
    "create": "created",
    "join": "updated",
    "revive": "created",
    "update": "updated",
    "agents": "updated",
    "delete": REMOVALS["delete"][0],
    "disable": REMOVALS["disable"][0],
    "end": REMOVALS["end"][0],
    "leave": REMOVALS["leave"][0],
}


class RehearsalSender:
    """Stands in for a target that accepts everything, in a rehearsal."""

    requests = 0
    retries = 0

    async def run(
        self, _batch: str, errands: list[Operation], _at_once: int, _stop: asyncio.Event | None
    ) -> BatchResult:
        """Return the result of each operation if the target accepts it."""
        return {
            place: RecordResult(TERMS[errand.action])
            if is_addressable(errand.record["sourcedId"])
            else RecordResult("failed", ID_OF_DOTS)
            for place, errand in enumerate(errands)
        }, None
