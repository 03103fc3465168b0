"""`roster verify`: compares the target with the ledger and the last roster, and repairs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from connectors.ledger import Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.load_state import mark_unfinished
from connectors.oneroster.reconcile import (
    DIFFERENT,
    EXTRA,
    MISSING,
    Expected,
    Progress,
    Verified,
    expect,
    verified,
)
from connectors.oneroster.target import Endpoint
from connectors.roster_archive import Archive
from flows.errors import SettingsError
from flows.guard_context import guard_context
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.ownership import shared_records
from flows.pipeline import Delivery, deliver
from flows.policies import with_policies
from flows.result import DONE, FAILED, RunResult
from flows.run import run_job
from flows.send import open_target
from flows.watch import SILENT, Watch
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
from transforms.checks.references import LedgerFrames
from transforms.diff import diff
from transforms.grammar import agree, count_of
from transforms.guard import GuardLimits
from transforms.guard.limits import allows, limit_text
from transforms.records import RosterState
from transforms.schemas import ENTITIES


@dataclass(frozen=True)
class VerifyResult:
    """The result of a verification."""

    job: Job
    found: Verification
    repair: RunResult | None  # the run that repaired the target; None without a repair
    seconds: float

    @property
    def exit_code(self) -> int:
        """The exit code of the repair; without one, 1 if there are differences."""
        if self.repair:
            return self.repair.exit_code
        return FAILED if self.found.found else DONE


@dataclass(frozen=True)
class Verification:
    """The differences that a comparison found."""

    entities: dict[str, Verified]
    roster: str = ""  # the run whose roster was compared; blank if none is archived
    requests: int = 0

    @property
    def found(self) -> int:
        """How many records differ."""
        return sum(one.found.height for one in self.entities.values())


def verify(
    options: Options,
    environment: Mapping[str, str],
    watch: Watch,
    begun: Callable[[Job], object] = lambda _: None,
    *,
    repair: bool,
    lost: bool = False,
) -> VerifyResult:
    """Compare, and repair on request. `begun` gets the job before the comparison.

    `lost` allows a repair even if many records are missing in the target.
    """
    started = time.monotonic()
    job = make_job(options, environment)
    begun(job)
    found, result = (
        _compare_and_repair(job, watch, lost=lost) if repair else (compare_feed(job, watch), None)
    )
    return VerifyResult(job, found, result, time.monotonic() - started)


def compare_feed(job: Job, watch: Watch = SILENT) -> Verification:
    """Compare everything that the ledger knows of a feed."""
    with Ledger.reading(job.ledger_at, patience=job.load.patience_seconds) as ledger, watch:
        return compare_target(
            job, ledger, Archive(job.run.state / "rosters", job.key), watch.advance
        )


def _compare_and_repair(job: Job, watch: Watch, *, lost: bool) -> tuple[Verification, RunResult]:
    """Compare and repair as one run: under the feed's lock, and recorded in the ledger."""
    found: list[Verification] = []

    def pipeline(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> RunResult:
        found.append(compare_target(job, ledger, archive, watch.advance))
        if not lost:
            refuse_losses(found[0], ledger.known(job.key), job.guard.limits)
        return repair(found[0], job, ledger, archive, watch)

    result = run_job(job, watch, pipeline)
    return found[0], result


def compare_target(job: Job, ledger: Ledger, archive: Archive, progress: Progress) -> Verification:
    """Compare each entity that the ledger has records of. Nothing is sent or written.

    Raises `TargetError` if the target cannot be read.
    """
    known = ledger.known(job.key)
    if not known:
        return Verification({})
    roster = next(reversed(archive.runs()), "")
    collections = job.load.target.profile.collections
    names = [name for name in ENTITIES if name in known and name in collections]
    # One entity of the roster at a time, so that a large district's need not all be in memory.
    wanted = (
        expect(
            collections[name],
            known[name],
            archive.judged(roster, name) if roster else None,
            shared_records(name, known[name]["sourcedId"], job, ledger),
        )
        for name in names
    )
    with open_target(job.load.target, job.run.state, job.load.concurrency) as address:
        return asyncio.run(_compare_entities(address, wanted, roster, progress))


async def _compare_entities(
    address: Endpoint, wanted: Iterator[Expected], roster: str, progress: Progress
) -> Verification:
    async with Client(address) as client:
        entities = {one.entity: await verified(client, one, progress) for one in wanted}
        return Verification(entities, roster, client.requests)


def repair(
    found: Verification, job: Job, ledger: Ledger, archive: Archive, watch: Watch
) -> RunResult:
    """Create missing records, update different ones and remove those that came back.

    All changes pass the guard, and removals follow the feed's policy. Without an archived roster
    only the ledger is corrected: the next sync sends the records.
    """
    begun = time.monotonic()
    for one in found.entities.values():
        _correct_ledger(one, job, ledger)
    known = ledger.known(job.key)
    roster = archive.standing(found.roster) if found.roster else {}
    content = archive.keep(job.run.id, {}, found.roster) if found.roster else ""
    changes = with_policies(_repairing_changes(found, roster, known), job, ledger)
    # The content is that of the last roster, so its age does not matter.
    context = replace(
        guard_context(changes, {}, known, job, ledger, archive), dated=None, twin=None
    )
    result = deliver(Delivery(begun, changes, known, context, content=content), job, ledger, watch)
    # A repair looks only at differences. What older plans hold keeps waiting.
    return replace(result, repaired=True, whole=frozenset())


def refuse_losses(found: Verification, known: LedgerFrames, limits: GuardLimits) -> None:
    """Raise `SettingsError` if more records are missing than the limits allow.

    It may be the wrong target, or one that shows only a part of its records.
    """
    for name, one in found.entities.items():
        count, total, percent = (
            one.of(MISSING).len(),
            _count_in_target(known[name]),
            limits.vanished(name),
        )
        if not allows(count, total, percent, limits.vanished_records):
            raise SettingsError(
                f"{count:,} of {count_of(total, name)} {agree(count, 'are')} missing in the "
                f"target, more than {limit_text(percent, limits.vanished_records)}. "
                "Nothing was done. "
                "Find out whether it is the right target, and shows everything. "
                "To send them all again: roster verify --repair --lost"
            )


def _count_in_target(known: pl.DataFrame) -> int:
    return known.filter(pl.col("status").is_in(IN_TARGET)).height


LEDGER_COLUMNS = {
    FINGERPRINT: "fingerprint",
    SCHOOL: "school",
    PARENTS: "parents",
    LABEL: "label",
    FIELDS: "fields",
    ENDS: "ends",
}


def _correct_ledger(one: Verified, job: Job, ledger: Ledger) -> None:
    """Correct the ledger by what the target has: missing, extra and different records."""
    details = ledger.details(job.key, one.entity, one.of(DIFFERENT))
    enabled = details.filter(pl.col("status") == DISABLED)["sourcedId"]
    for status, ids in ((DELETED, one.of(MISSING)), (ACTIVE, one.of(EXTRA)), (ACTIVE, enabled)):
        if ids.len():
            ledger.mark(job.key, one.entity, status, ids.to_list(), job.run.id)
    rows = details.filter(pl.col("status") != DISABLED)
    if rows.height:
        rows = rows.select(
            "sourcedId", **{name: pl.col(column) for name, column in LEDGER_COLUMNS.items()}
        )
        ledger.record(
            job.key,
            one.entity,
            rows.with_columns(mark_unfinished(pl.col(FINGERPRINT))),
            {},
            [],
            job.run.id,
        )


def _repairing_changes(found: Verification, roster: RosterState, known: LedgerFrames) -> Changes:
    """Return only the changes that repair differences. Other changes belong to other runs."""
    changes = diff(roster, known).changes
    return {
        name: _only_differences(changes[name], one)
        for name, one in found.entities.items()
        if name in changes
    }


def _only_differences(part: EntityChanges, one: Verified) -> EntityChanges:
    differs = pl.col("sourcedId").is_in(one.found["sourcedId"].implode())
    upserts = part.upserts.filter(differs)
    removals = part.removals.filter((pl.col(ACTION) == "delete") & differs)
    # The guard must see how much of the roster there is, and each record is counted once.
    others = part.upserts.height - upserts.height
    counts: Counts = {**part.counts, "vanished": removals.height, "waiting": others}
    return replace(
        part, upserts=upserts, removals=removals, returned=part.returned.clear(), counts=counts
    )
