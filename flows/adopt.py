"""`roster adopt`: builds the ledger from the target.

It is for a district that was loaded by other means, or that lost its state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.ledger import Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.reconcile import Adoption, Progress, adopt
from flows.errors import SettingsError
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.ownership import feed_order
from flows.pipeline import accept_drop, run_result
from flows.result import DONE, RunResult
from flows.salts import note_salt
from flows.send import open_target, read_active_ids
from flows.watch import Watch
from transforms.changes import Changes
from transforms.diff import diff
from transforms.grammar import count_of
from transforms.schemas import ENTITIES


@dataclass(frozen=True)
class AdoptResult:
    """The result of an adoption."""

    job: Job
    adopted: tuple[Adoption, ...] = ()  # the outcome for the drop's records, by entity
    requests: int = 0
    seconds: float = 0.0
    refused: RunResult | None = None  # the run that refused the drop; None if it was adopted

    @property
    def exit_code(self) -> int:
        """4 if the drop was refused."""
        return self.refused.exit_code if self.refused else DONE


def run_adopt(
    options: Options, environment: Mapping[str, str], watch: Watch, *, again: bool
) -> AdoptResult:
    """Record in the ledger the drop's records that the target holds.

    Raises `SettingsError` if the ledger has records of the feed already, unless `again` is set.
    """
    started = time.monotonic()
    job = make_job(options, environment)
    patience = job.load.patience_seconds
    with (
        Ledger(job.ledger_at, patience=patience) as ledger,
        ledger.hold(job.key, job.run.id),
        watch,
    ):
        _refuse_known(job, ledger, again=again)
        watch.say(f"Target: {job.load.target.name}, from which nothing but reading is asked")
        accepted = accept_drop(job, ledger)
        if accepted.salted:
            accepted = accept_drop(
                replace(job, source=replace(job.source, unsent=_derived_people_ids(job))), ledger
            )
        if accepted.refused.height:
            refused = run_result(job, started, [accepted.findings], refused=accepted.refused)
            return AdoptResult(job, refused=refused)
        if accepted.salted:
            note_salt(job.source.salt, job.key, job.run.id, ledger)
        adopted, requests = _adopt_all(
            diff(accepted.standing, {}).changes, job, ledger, watch.advance
        )
    return AdoptResult(job, adopted, requests, time.monotonic() - started)


def _derived_people_ids(job: Job) -> frozenset[str]:
    """Return the target's derived ids of people, so that these people keep them."""
    return frozenset(one for one in read_active_ids(["users"], job)["users"] if "/" in one)


def _refuse_known(job: Job, ledger: Ledger, *, again: bool) -> None:
    known = sum(frame.height for frame in ledger.known(job.key).values())
    if known and not again:
        raise SettingsError(
            f"The ledger already has {count_of(known, 'records')} of feed {job.key.feed!r} in "
            f"{job.key.target}. To compare the two: roster verify. To replace them by what the "
            "target holds: roster adopt --again."
        )


def _adopt_all(
    changes: Changes, job: Job, ledger: Ledger, progress: Progress
) -> tuple[tuple[Adoption, ...], int]:
    order = feed_order(job, ledger)
    with open_target(job.load.target, job.run.state, job.load.concurrency) as address:

        async def adopt_each() -> tuple[tuple[Adoption, ...], int]:
            async with Client(address) as client:
                names = [
                    name
                    for name in ENTITIES
                    if name in changes and name in client.profile.collections
                ]
                adopted = [
                    await adopt(client, ledger, job.key, job.run.id, changes[name], progress, order)
                    for name in names
                ]
                return tuple(adopted), client.requests

        return asyncio.run(adopt_each())
