"""A run as Prefect sees it: each stage of the line and each batch of the load is a task, and the load shows its progress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from connectors.oneroster.errands import Errand
from connectors.oneroster.job import Sender, Sent
from connectors.oneroster.target import Target as Address
from flows.job import Job
from flows.orchestration.artifacts import UNSHOWN, key
from flows.orchestration.ceilings import Turn, turn_of
from flows.orchestration.clusters import cluster
from flows.reports.screen import print_line
from flows.safe_text import plain_text
from flows.watch import Watch

P = ParamSpec("P")
T = TypeVar("T")


class Tasks(Watch):
    """Shows a run of a feed, whose `name` its artifacts have."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._progress: dict[str, UUID] = {}

    def say(self, line: str) -> None:
        """Log a line."""
        get_run_logger().info(plain_text(line))

    def warn(self, line: str) -> None:
        """Print a line on standard error: a signal came, and the way to Prefect may take long."""
        print_line(line, error=True)

    def stage(self, name: str, work: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """Do the work of a stage as a task, which Prefect gives back nothing of: a district's frames stay here."""
        came: list[T] = []

        def run() -> None:
            came.append(work(*args, **more))

        _task(run, name, name)()
        return came.pop()

    def advance(self, entity: str, done: int, total: int) -> None:
        """Move the progress artifact of an entity."""
        percent = 100.0 * done / max(total, 1)
        with suppress(*UNSHOWN):
            if entity in self._progress:
                update_progress_artifact(self._progress[entity], percent, _sync=True)  # type: ignore[call-arg]
            else:
                made: Any = create_progress_artifact(
                    percent, key(self._name, entity), f"{entity}: {total:,} records to settle", _sync=True
                )  # type: ignore[call-arg]
                self._progress[entity] = made

    @asynccontextmanager
    async def sending(
        self, local: AbstractAsyncContextManager[Sender], address: Address, job: Job, /
    ) -> AsyncIterator[Sender]:
        """Send each batch as a task, from a cluster if the feed names one, and under the target's ceiling."""
        async with cluster(job, address) if job.load.runner else local as sender:
            yield _InTasks(sender, await turn_of(job, get_run_logger().warning))


class _InTasks:
    """Runs each batch as a task of its own."""

    def __init__(self, sender: Sender, turn: Turn) -> None:
        self._sender = sender
        self._turn = turn

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._sender.requests

    @property
    def retries(self) -> int:
        """How many of them were sent again."""
        return self._sender.retries

    async def run(self, batch: str, errands: list[Errand], at_once: int, stop: asyncio.Event | None) -> Sent:
        """Run a batch when it is its turn."""
        came: list[Sent] = []

        async def send() -> None:
            async with self._turn(at_once):
                came.append(await self._sender.run(batch, errands, at_once, stop))

        await _task(send, "batch", batch)()
        return came.pop()


def _task(work: Callable[[], Any], name: str, run_name: str) -> Any:
    """Make a task of what neither takes nor gives anything, so that Prefect sees and keeps no record of anybody."""
    return task(name=name, task_run_name=run_name, persist_result=False, cache_policy=NO_CACHE)(work)
