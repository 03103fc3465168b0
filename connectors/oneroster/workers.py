"""Work on many things with a fixed number of workers, each taking the next one when it is free."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from connectors.oneroster.loaded import Result
from connectors.oneroster.target import TargetError

UNANSWERED = "the run broke off before it was known what became of it"
Item = TypeVar("Item")
Work = Callable[[Item], Awaitable[Result]]


async def spread(items: Iterable[Item], workers: int, work: Work[Item],
                 stop: asyncio.Event | None = None) -> tuple[dict[int, Result], TargetError | None]:  # fmt: skip
    """Give the result of each item by its place in `items`; those that were not done are not there.

    After a `TargetError`, or once `stop` is set, nothing new is begun, and what is under way is finished.
    """
    results: dict[int, Result] = {}
    errors: list[TargetError] = []
    numbered = enumerate(items)

    async def take() -> None:
        for place, item in numbered:
            try:
                results[place] = await work(item)
            except TargetError as error:
                errors.append(error)
                if error.unsure:
                    results[place] = Result("failed", UNANSWERED, settled=False)
            if errors or (stop and stop.is_set()):
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(take())
    return results, errors[0] if errors else None
