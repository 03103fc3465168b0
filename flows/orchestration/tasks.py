"""A run as Prefect sees it: each stage of the line and each batch of the load is a task, and the load shows its progress."""

from __future__ import annotations

import asyncio
import pickle
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from contextvars import copy_context
from dataclasses import replace
from hashlib import sha256
from importlib import import_module
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext
from prefect.logging import get_run_logger

from connectors.oneroster.load_state import Sender, Sent
from connectors.oneroster.operations import Errand
from connectors.oneroster.processes import Batch, BatchReply, in_parts, joined, lost, run_part
from connectors.oneroster.target import Endpoint as Address
from flows.errors import SettingsError
from flows.job import Job
from flows.orchestration.artifacts import UNSHOWN, key
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
                    percent,
                    key(self._name, entity),
                    f"{entity}: {total:,} records to settle",
                    _sync=True,
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

    async def run(
        self, batch: str, errands: list[Errand], at_once: int, stop: asyncio.Event | None
    ) -> Sent:
        """Run a batch when it is its turn."""
        came: list[Sent] = []

        async def send() -> None:
            async with self._turn(at_once):
                came.append(await self._sender.run(batch, errands, at_once, stop))

        await _task(send, "batch", batch)()
        return came.pop()


def _task(work: Callable[[], Any], name: str, run_name: str) -> Any:
    """Make a task of what neither takes nor gives anything, so that Prefect sees and keeps no record of anybody."""
    return task(name=name, task_run_name=run_name, persist_result=False, cache_policy=NO_CACHE)(
        work
    )


Turn = Callable[[int], AbstractAsyncContextManager[Any]]
# How long a run that was killed keeps what it had taken; the shortest that Prefect allows.
LEASE_SECONDS = 60.0
UNLIMITED = (
    "No ceiling is shared with other machines: {name} is no concurrency limit yet. `roster "
    "deploy` makes it."
)


def ceiling(target: str) -> str:
    """Name the limit of a target (its name in the ledger): readable, and its own."""
    readable = re.sub(r"[^a-z0-9]+", "-", target.lower().partition("://")[2]).strip("-")[:40]
    return f"roster-{readable or 'target'}-{sha256(target.encode()).hexdigest()[:8]}"


async def turn_of(job: Job, warn: Callable[[str], None]) -> Turn:
    """Give what a batch enters before it makes so many requests at once; an embedded sandbox is shared with nobody."""
    if job.load.target.url is None:
        return lambda _at_once: nullcontext()
    from prefect.client.orchestration import get_client
    from prefect.concurrency.asyncio import concurrency
    from prefect.exceptions import ObjectNotFound

    name = ceiling(job.load.target.name)
    async with get_client() as client:
        try:
            limit = (await client.read_global_concurrency_limit_by_name(name)).limit
        except ObjectNotFound:
            warn(UNLIMITED.format(name=name))
            return lambda _at_once: nullcontext()
    return lambda at_once: concurrency(
        name, occupy=min(at_once, limit), lease_duration=LEASE_SECONDS
    )


# What runs tasks elsewhere, and the extra of this program that brings it.
RUNNERS = {"dask": ("prefect_dask", "DaskTaskRunner"), "ray": ("prefect_ray", "RayTaskRunner")}
NOT_THERE = (
    "The feed's file says `runner = {name!r}`, and {package} is not installed. Install it, in the "
    "folder of this program: pip install '.[{name}]'."
)


@asynccontextmanager
async def cluster(job: Job, address: Address) -> AsyncIterator[Cluster]:
    """Give who sends from the cluster at `job.cluster`.

    Raises `SettingsError` if the package for it is not installed.
    """
    with _runner(job) as runner:
        yield Cluster(runner, job.load.workers, address)


class Cluster:
    """Deals the errands of each batch out to so many processes. `requests` and `retries` are theirs."""

    def __init__(self, runner: Any, count: int, address: Address) -> None:
        self.requests = self.retries = 0
        self._runner = runner
        self._count = count
        # Slots are files of this machine; there the target's ceiling counts, of which each process gets its share.
        self._address = replace(address, slots=None)

    async def run(
        self, batch: str, errands: list[Errand], at_once: int, _stop: asyncio.Event | None
    ) -> Sent:
        """Run a batch to its end; one that is under way is not stopped."""
        parts = in_parts(errands, at_once, self._count)
        futures = [
            self._submitted(f"{batch}, part {place}", part) for place, part in enumerate(parts, 1)
        ]
        outcomes = [
            await self._outcome(future, part) for future, part in zip(futures, parts, strict=True)
        ]
        self.requests += sum(outcome.requests for outcome in outcomes)
        self.retries += sum(outcome.retries for outcome in outcomes)
        return joined(outcomes)

    async def _outcome(self, future: Any, part: Batch) -> BatchReply:
        """Wait for a part; if its process was lost, nobody knows what it sent."""
        try:
            outcome: BatchReply = pickle.loads(await asyncio.to_thread(future.result))
        except Exception as error:  # noqa: BLE001  (each runner has errors of its own)
            return lost(
                part,
                "A process of the cluster that was sending was lost "
                f"({type(error).__name__}). Run again.",
            )
        return outcome

    def _submitted(self, name: str, part: Batch) -> Any:
        # As bytes: Prefect looks into what it is given, and has no business among records.
        message = pickle.dumps((self._address, part), pickle.HIGHEST_PROTOCOL)
        work = task(name="part", task_run_name=name, persist_result=False, cache_policy=NO_CACHE)(
            run_part
        )
        return _out_of_tasks(lambda: self._runner.submit(work, parameters={"message": message}))


def _out_of_tasks(submit: Callable[[], Any]) -> Any:
    """Submit as a child of the flow run: a task takes its parent along, and this one's holds the ledger and all frames."""
    context = copy_context()
    context.run(TaskRunContext.__var__.set, None)  # type: ignore[arg-type]
    return context.run(submit)


def _runner(job: Job) -> Any:
    package, name = RUNNERS[job.load.runner]
    try:
        kind = getattr(import_module(package), name)
    except ImportError:
        raise SettingsError(NOT_THERE.format(name=job.load.runner, package=package)) from None
    return kind(address=job.load.cluster)
