"""`roster verify`: finds what the target holds otherwise than the ledger and the last roster do, and repairs it if asked to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from connectors.ledger import Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.load_state import unfinished
from connectors.oneroster.reconcile import (
    DIFFERENT,
    EXTRA,
    MISSING,
    Expected,
    Verified,
    expected,
    verified,
)
from connectors.oneroster.reconcile import Watch as Progress
from connectors.oneroster.target import Endpoint as Address
from connectors.roster_archive import Archive
from flows.errors import SettingsError
from flows.guard_context import guard_context
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.pipeline import Delivery, deliver
from flows.policies import with_policies
from flows.result import DONE, FAILED, RunResult
from flows.run import run_job
from flows.send import open_target
from flows.watch import NOBODY, Watch
from transforms.changes import (
    ACTION,
    ACTIVE,
    DELETED,
    DISABLED,
    ENDS,
    FIELDS,
    FINGERPRINT,
    IN_TARGET,
    LABEL,
    PARENTS,
    SCHOOL,
    Changes,
    Counts,
    EntityChanges,
)
from transforms.checks.references import Known
from transforms.diff import diff
from transforms.guard import GuardLimits, guard
from transforms.guard.limits import allows, limit_text
from transforms.records import RosterState
from transforms.schemas import ENTITIES


@dataclass(frozen=True)
class VerifyResult:
    """What a verification came to."""

    job: Job
    found: Verification
    repair: RunResult | None  # the run that repaired the target, if that was asked for
    seconds: float

    @property
    def exit_code(self) -> int:
        """1 for differences that nothing was done about; else how the repair ended."""
        if self.repair:
            return self.repair.exit_code
        return FAILED if self.found.found else DONE


def verify(
    options: Options,
    environment: Mapping[str, str],
    watch: Watch,
    begun: Callable[[Job], object] = lambda _: None,
    *,
    repair: bool,
    lost: bool = False,
) -> VerifyResult:
    """Compare, and repair if asked to; `begun` is given the job before anything is compared."""
    started = time.monotonic()
    job = make_job(options, environment)
    begun(job)
    found, result = _repaired(job, watch, lost=lost) if repair else (compare_feed(job, watch), None)
    return VerifyResult(job, found, result, time.monotonic() - started)


def compare_feed(job: Job, watch: Watch = NOBODY) -> Verification:
    """Compare all that the ledger knows of a feed."""
    with Ledger.reading(job.ledger_at) as ledger, watch:
        return compare_target(
            job, ledger, Archive(job.run.state / "rosters", job.key), watch.advance
        )


def _repaired(job: Job, watch: Watch, *, lost: bool) -> tuple[Verification, RunResult]:
    """Compare and repair as one run: under the feed's lock, and kept in the ledger like any other."""
    found: list[Verification] = []

    def pipeline(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> RunResult:
        found.append(compare_target(job, ledger, archive, watch.advance))
        if not lost:
            refuse_losses(found[0], ledger.known(job.key), job.guard.limits)
        return repair(found[0], job, ledger, archive, watch)

    result = run_job(job, watch, pipeline)
    return found[0], result


@dataclass(frozen=True)
class Verification:
    """What a comparison came to; `roster` is the run whose roster was compared, blank if none is kept."""

    entities: dict[str, Verified]
    roster: str = ""
    requests: int = 0

    @property
    def found(self) -> int:
        """How many records are not as they should be."""
        return sum(one.found.height for one in self.entities.values())


def compare_target(job: Job, ledger: Ledger, archive: Archive, progress: Progress) -> Verification:
    """Compare each entity of which the ledger has records. Nothing is sent, and nothing is written.

    Raises `TargetError` if the target cannot be read.
    """
    known = ledger.known(job.key)
    if not known:
        return Verification({})
    roster = next(reversed(archive.runs()), "")
    collections = job.load.target.profile.collections
    names = [name for name in ENTITIES if name in known and name in collections]
    # One entity of the roster at a time: a district's need not all be in memory.
    wanted = (
        expected(collections[name], known[name], archive.judged(roster, name) if roster else None)
        for name in names
    )
    with open_target(job.load.target, job.run.state, job.load.concurrency) as address:
        return asyncio.run(_compared(address, wanted, roster, progress))


async def _compared(
    address: Address, wanted: Iterator[Expected], roster: str, progress: Progress
) -> Verification:
    async with Client(address) as client:
        entities = {one.entity: await verified(client, one, progress) for one in wanted}
        return Verification(entities, roster, client.requests)


LEDGERS = {
    FINGERPRINT: "fingerprint",
    SCHOOL: "school",
    PARENTS: "parents",
    LABEL: "label",
    FIELDS: "fields",
    ENDS: "ends",
}


def repair(
    found: Verification, job: Job, ledger: Ledger, archive: Archive, watch: Watch
) -> RunResult:
    """Create what is missing, update what differs and remove what came back, as the feed's policy says, all through the guard.

    Without a roster of which to take the records, only the ledger is corrected: the next sync sends them.
    """
    begun = time.monotonic()
    for one in found.entities.values():
        _correct(one, job, ledger)
    known = ledger.known(job.key)
    standing = archive.standing(found.roster) if found.roster else {}
    content = archive.keep(job.run.id, {}, found.roster) if found.roster else ""
    changes = with_policies(_changes(found, standing, known), job, ledger)
    # The content is that of the last roster, whatever its age.
    context = replace(
        guard_context(changes, {}, known, job, ledger, archive), dated=None, twin=None
    )
    judge = partial(guard, past=context, limits=job.guard.limits, raised=job.guard.raised)
    result = deliver(Delivery(begun, changes, known, judge, content=content), job, ledger, watch)
    # It looks at what differs, and at nothing else: what plans hold besides goes on waiting.
    return replace(result, repaired=True, whole=frozenset())


def refuse_losses(found: Verification, known: Known, limits: GuardLimits) -> None:
    """Raise `SettingsError` if so much is missing that this may be another target, or one that shows only a part."""
    for name, one in found.entities.items():
        count, total, percent = one.of(MISSING).len(), _held(known[name]), limits.vanished(name)
        if not allows(count, total, percent, limits.vanished_records):
            raise SettingsError(
                f"{count:,} of {total:,} {name} are missing in the target, more than "
                f"{limit_text(percent, limits.vanished_records)}. Nothing was done. "
                "Find out whether it is the right target, and shows everything. "
                "To send them all again: roster verify --repair --lost"
            )


def _held(known: pl.DataFrame) -> int:
    return known.filter(pl.col("status").is_in(IN_TARGET)).height


def _correct(one: Verified, job: Job, ledger: Ledger) -> None:
    """Note in the ledger what the target said: who is not there, who is there again, and who is not as we sent them."""
    details = ledger.details(job.key, one.entity, one.of(DIFFERENT))
    enabled = details.filter(pl.col("status") == DISABLED)["sourcedId"]
    for status, ids in ((DELETED, one.of(MISSING)), (ACTIVE, one.of(EXTRA)), (ACTIVE, enabled)):
        if ids.len():
            ledger.mark(job.key, one.entity, status, ids.to_list(), job.run.id)
    rows = details.filter(pl.col("status") != DISABLED)
    if rows.height:
        rows = rows.select(
            "sourcedId", **{name: pl.col(column) for name, column in LEDGERS.items()}
        )
        ledger.record(
            job.key,
            one.entity,
            rows.with_columns(unfinished(pl.col(FINGERPRINT))),
            {},
            [],
            job.run.id,
        )


def _changes(found: Verification, standing: RosterState, known: Known) -> Changes:
    """The changes that repair what was found, and no others: what else waits is another run's."""
    changes = diff(standing, known).changes
    return {
        name: _repair(changes[name], one) for name, one in found.entities.items() if name in changes
    }


def _repair(part: EntityChanges, one: Verified) -> EntityChanges:
    found = pl.col("sourcedId").is_in(one.found["sourcedId"].implode())
    upserts = part.upserts.filter(found)
    removals = part.removals.filter((pl.col(ACTION) == "delete") & found)
    # The guard must see how much of the roster there is, and each record is counted once.
    others = part.upserts.height - upserts.height
    counts: Counts = {**part.counts, "vanished": removals.height, "waiting": others}
    return replace(
        part, upserts=upserts, removals=removals, returned=part.returned.clear(), counts=counts
    )
