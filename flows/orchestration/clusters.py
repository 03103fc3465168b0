"""Sending from other machines, by a Dask or Ray cluster: each batch is dealt out, and its parts are tasks there.

Within one machine, `connectors.oneroster.processes` sends.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import replace
from importlib import import_module
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext

from connectors.oneroster.errands import Errand
from connectors.oneroster.job import Sent
from connectors.oneroster.messages import Batch, Outcome
from connectors.oneroster.parts import in_parts, joined, lost, run_part
from connectors.oneroster.target import Target as Address
from flows.errors import SettingsError
from flows.job import Job

# What runs tasks elsewhere, and the extra of this program that brings it.
RUNNERS = {"dask": ("prefect_dask", "DaskTaskRunner"), "ray": ("prefect_ray", "RayTaskRunner")}
NOT_THERE = "The feed's file says `runner = {name!r}`, and {package} is not installed. Install it, in the folder of this program: pip install '.[{name}]'."


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

    async def run(self, batch: str, errands: list[Errand], at_once: int, _stop: asyncio.Event | None) -> Sent:
        """Run a batch to its end; one that is under way is not stopped."""
        parts = in_parts(errands, at_once, self._count)
        futures = [self._submitted(f"{batch}, part {place}", part) for place, part in enumerate(parts, 1)]
        outcomes = [await self._outcome(future, part) for future, part in zip(futures, parts, strict=True)]
        self.requests += sum(outcome.requests for outcome in outcomes)
        self.retries += sum(outcome.retries for outcome in outcomes)
        return joined(outcomes)

    async def _outcome(self, future: Any, part: Batch) -> Outcome:
        """Wait for a part; if its process was lost, nobody knows what it sent."""
        try:
            outcome: Outcome = pickle.loads(await asyncio.to_thread(future.result))
        except Exception as error:  # noqa: BLE001  (each runner has errors of its own)
            return lost(
                part, f"A process of the cluster that was sending was lost ({type(error).__name__}). Run again."
            )
        return outcome

    def _submitted(self, name: str, part: Batch) -> Any:
        # As bytes: Prefect looks into what it is given, and has no business among records.
        message = pickle.dumps((self._address, part), pickle.HIGHEST_PROTOCOL)
        work = task(name="part", task_run_name=name, persist_result=False, cache_policy=NO_CACHE)(run_part)
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
