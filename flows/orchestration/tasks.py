"""A run as Prefect sees it: each stage of the pipeline and each batch of the load is a task.

The load shows its progress, respects the ceiling of the target, and may send from a cluster.
"""

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
from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import concurrency
from prefect.context import TaskRunContext
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger

from connectors.oneroster.load_state import BatchResult, Sender
from connectors.oneroster.operations import Operation
from connectors.oneroster.processes import (
    Batch,
    BatchReply,
    join_replies,
    lost_reply,
    run_part,
    split_batch,
)
from connectors.oneroster.target import Endpoint
from flows.errors import SettingsError
from flows.job import Job
from flows.orchestration.artifacts import ARTIFACT_ERRORS, artifact_key
from flows.reports.screen import print_line
from flows.safe_text import plain_text
from flows.watch import Watch
from transforms.grammar import count_of

P = ParamSpec("P")
T = TypeVar("T")
# What a batch enters before it sends: takes the number of requests at a time.
Turn = Callable[[int], AbstractAsyncContextManager[Any]]
# How long a run that was killed still occupies its share; the shortest time that Prefect allows.
LEASE_SECONDS = 60.0
UNLIMITED = (
    "No ceiling is shared with other machines: {name} is no concurrency limit yet. `roster "
    "deploy` makes it."
)
# For each runner, which is also the name of an optional dependency: its package and its class.
RUNNERS = {"dask": ("prefect_dask", "DaskTaskRunner"), "ray": ("prefect_ray", "RayTaskRunner")}
NOT_INSTALLED = (
    "The feed file says `runner = {name!r}`, and {package} is not installed. Install it, in the "
    "folder of this program: pip install '.[{name}]'."
)


class Tasks(Watch):
    """Runs the stages and batches of a run as Prefect tasks, and shows its progress."""

    sends_from_clusters = True

    def __init__(self, name: str) -> None:
        """`name` is the feed's, and begins the keys of its artifacts."""
        self._name = name
        self._progress: dict[str, UUID] = {}

    def say(self, line: str) -> None:
        """Log a line."""
        get_run_logger().info(plain_text(line))

    def warn(self, line: str) -> None:
        """Print a line on standard error. After a signal, logging to Prefect may take too long."""
        print_line(line, error=True)

    def stage(self, name: str, work: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """Do the work of a stage as a task.

        Its result does not pass through Prefect: the frames of a district stay in this process.
        """
        results: list[T] = []

        def run() -> None:
            results.append(work(*args, **more))

        _task(run, name, name)()
        return results.pop()

    def advance(self, entity: str, done: int, total: int) -> None:
        """Create or update the progress artifact of an entity."""
        percent = 100.0 * done / max(total, 1)
        with suppress(*ARTIFACT_ERRORS):
            if entity in self._progress:
                artifact_id = self._progress[entity]
                update_progress_artifact(artifact_id, percent, _sync=True)  # type: ignore[call-arg]
            else:
                artifact: Any = create_progress_artifact(
                    percent,
                    artifact_key(self._name, entity),
                    f"{entity}: {count_of(total, 'records')} to settle",
                    _sync=True,
                )  # type: ignore[call-arg]
                self._progress[entity] = artifact

    @asynccontextmanager
    async def sending(
        self, local: AbstractAsyncContextManager[Sender], address: Endpoint, job: Job, /
    ) -> AsyncIterator[Sender]:
        """Yield a sender that sends each batch as a task, under the target's ceiling.

        It sends from a cluster if the feed names one, else through `local`.
        """
        async with open_cluster(job, address) if job.load.runner else local as sender:
            yield _InTasks(sender, await open_turn(job, get_run_logger().warning))


class _InTasks:
    """Runs each batch as a task of its own."""

    def __init__(self, sender: Sender, turn: Turn) -> None:
        self._sender = sender
        self._turn = turn

    @property
    def requests(self) -> int:
        """The number of requests that were sent, retries included."""
        return self._sender.requests

    @property
    def retries(self) -> int:
        """The number of retries among the requests."""
        return self._sender.retries

    async def run(
        self, batch: str, errands: list[Operation], at_once: int, stop: asyncio.Event | None
    ) -> BatchResult:
        """Run a batch as soon as the ceiling allows it."""
        results: list[BatchResult] = []

        async def send() -> None:
            async with self._turn(at_once):
                results.append(await self._sender.run(batch, errands, at_once, stop))

        await _task(send, "batch", batch)()
        return results.pop()


def _task(work: Callable[[], Any], name: str, run_name: str) -> Any:
    """Make a task of a function without parameters and result: Prefect sees no personal data."""
    return task(name=name, task_run_name=run_name, persist_result=False, cache_policy=NO_CACHE)(
        work
    )


def limit_name(target: str) -> str:
    """Return the name of a target's concurrency limit: readable, and different for each target."""
    readable = re.sub(r"[^a-z0-9]+", "-", target.lower().partition("://")[2]).strip("-")[:40]
    return f"roster-{readable or 'target'}-{sha256(target.encode()).hexdigest()[:8]}"


async def open_turn(job: Job, warn: Callable[[str], None]) -> Turn:
    """Return what each batch enters before it sends: its share of the target's ceiling.

    There is no ceiling for the embedded sandbox, which no other machine uses, or if Prefect does
    not know the limit. The second is passed to `warn`.
    """
    if job.load.target.url is None:
        return lambda _at_once: nullcontext()
    name = limit_name(job.load.target.name)
    async with get_client() as client:
        try:
            limit = (await client.read_global_concurrency_limit_by_name(name)).limit
        except ObjectNotFound:
            warn(UNLIMITED.format(name=name))
            return lambda _at_once: nullcontext()
    return lambda at_once: concurrency(
        name, occupy=min(at_once, limit), lease_duration=LEASE_SECONDS
    )


@asynccontextmanager
async def open_cluster(job: Job, address: Endpoint) -> AsyncIterator[Cluster]:
    """Yield a sender that sends from the cluster at `job.load.cluster`.

    Raises `SettingsError` if the package of the runner is not installed.
    """
    with _task_runner(job) as runner:
        yield Cluster(runner, job.load.workers, address)


def _task_runner(job: Job) -> Any:
    package, name = RUNNERS[job.load.runner]
    try:
        kind = getattr(import_module(package), name)
    except ImportError:
        raise SettingsError(NOT_INSTALLED.format(name=job.load.runner, package=package)) from None
    return kind(address=job.load.cluster)


class Cluster:
    """Sends each batch from the processes of a cluster. Each process gets a part of the batch."""

    def __init__(self, runner: Any, count: int, address: Endpoint) -> None:
        self.requests = self.retries = 0  # of all processes
        self._runner = runner
        self._count = count  # of processes
        # Slots are files of this machine. On the cluster only the target's ceiling counts.
        self._address = replace(address, slots=None)

    async def run(
        self, batch: str, errands: list[Operation], at_once: int, _stop: asyncio.Event | None
    ) -> BatchResult:
        """Run a batch to its end. A batch that is under way is not stopped."""
        parts = split_batch(errands, at_once, self._count)
        futures = [
            self._submit(f"{batch}, part {number}", part) for number, part in enumerate(parts, 1)
        ]
        replies = [
            await self._reply(future, part) for future, part in zip(futures, parts, strict=True)
        ]
        self.requests += sum(reply.requests for reply in replies)
        self.retries += sum(reply.retries for reply in replies)
        return join_replies(replies)

    def _submit(self, name: str, part: Batch) -> Any:
        # Pickled here, since Prefect inspects the parameters of a task, and these have records.
        message = pickle.dumps((self._address, part), pickle.HIGHEST_PROTOCOL)
        work = task(name="part", task_run_name=name, persist_result=False, cache_policy=NO_CACHE)(
            run_part
        )
        # As a child of the flow run: a task carries its parent along, and the parent here would be
        # the load, which holds the ledger and all frames.
        context = copy_context()
        context.run(TaskRunContext.__var__.set, None)  # type: ignore[arg-type]
        return context.run(lambda: self._runner.submit(work, parameters={"message": message}))

    async def _reply(self, future: Any, part: Batch) -> BatchReply:
        """Wait for the reply of a part. If its process was lost, its outcomes are unknown."""
        try:
            reply: BatchReply = pickle.loads(await asyncio.to_thread(future.result))
        except Exception as error:  # noqa: BLE001  (each runner has errors of its own)
            return lost_reply(
                part,
                "A process of the cluster that was sending was lost "
                f"({type(error).__name__}). Run again.",
            )
        return reply
