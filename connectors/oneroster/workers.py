"""Work on many things with a fixed number of workers, each taking the next one when it is free."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from connectors.oneroster.loaded import Result
from connectors.oneroster.target import TargetError

Item = TypeVar("Item")
Work = Callable[[Item], Awaitable[Result]]


async def spread(items: Iterable[Item], workers: int, work: Work[Item]) -> tuple[dict[int, Result], TargetError | None]:
    """Give the result of each item by its place in `items`; those that were not done are not there.

    After a `TargetError` nothing new is begun, and what is under way is finished.
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
            if errors:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(take())
    return results, errors[0] if errors else None
