"""The pipeline: it brings a feed's target to the roster of a drop.

`run_pipeline` runs the nine steps for a drop. Everything else that sends changes (restoring an
earlier roster, approving a plan, repairing the target) ends in the same `deliver`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import polars as pl

from connectors.drops import read_file
from connectors.ledger import Ledger
from connectors.oneroster.outcomes import LoadResult
from connectors.roster_archive import Archive
from flows.accept import Accepted, CheckedDrop, accept, check_roster, ids_elsewhere, shared_ids
from flows.ended_roles import enrollments_before_drop, roster_before_drop
from flows.errors import SettingsError
from flows.extract import extract
from flows.guard_context import guard_context
from flows.job import Job
from flows.ledger_view import CROSS_LISTED, LedgerView
from flows.load import load
from flows.ownership import mark_shared_records, taken_over, unknown_owners
from flows.policies import with_policies
from flows.recover import mark_unsure_records, recover
from flows.result import RunResult
from flows.run_history import decided_on
from flows.salts import digests_of, note_salt
from flows.watch import SILENT, Watch
from transforms.changes import Changes, Counts, EntityChanges, add_counts
from transforms.checks.references import LedgerFrames
from transforms.delta import add_unsent
from transforms.diff import Fingerprints, diff, fingerprints_by_entity
from transforms.findings import Findings, merge_findings, with_real_files, with_source_columns
from transforms.guard import GuardContext, GuardResult, guard, held_records
from transforms.guard.guard import no_pairs
from transforms.lost_references import leave_out_lost_references
from transforms.main_teachers import settle_main_teachers
from transforms.records import RosterState
from transforms.renamed_ids import composite_new_ids, find_id_file, restore_old_ids
from transforms.role_ends import settle_roles
from transforms.roster import Raw, RawFile, Roster
from transforms.sources import is_declared, normalize

ReadRoster = Callable[[Job, Watch], Roster]
GuardStep = Callable[[Changes], GuardResult]
# What a run executes: `run_pipeline`, or another source of changes that ends in `deliver`.
Pipeline = Callable[[Job, Ledger, Archive, Watch], RunResult]


def run_pipeline(job: Job, ledger: Ledger, archive: Archive, watch: Watch = SILENT) -> RunResult:
    """Run the nine steps. `watch` follows each stage, and each batch of the load.

    A faulty drop and a failing target are reported in the result. There is one exception: raises
    `TargetError`, before anything is sent, if the target must be read and cannot be. It must be
    read if the feed file calls records there `external`, or if a run that was killed may have
    left records there.
    """
    return deliver(compare(job, ledger, archive, watch), job, ledger, watch)


def check_drop(
    job: Job, known: LedgerView, watch: Watch = SILENT, read: ReadRoster | None = None
) -> CheckedDrop:
    """Run the steps up to the check. `read` reads a roster from elsewhere than the job's drop."""
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(lambda: known.records)
        digests = digests_of(job.source.salt, job.as_written.prefix, known, job.source.unsent)
        source = replace(
            job.source,
            renamed=known.renamed,
            cross_listed=known.cross_listed,
            digests=digests,
        )
        job = replace(job, source=source)
        if read:
            roster = read(job, watch)
        else:
            # 1 read the drop
            raw = watch.stage("extract", extract, job)
            ids, found = _id_file(raw, job)
            named = _named_ids(ids, job)
            written = replace(job.as_written, digests=replace(digests, sent=digests.sent | named))
            # 2 normalize to OneRoster 1.2
            if is_declared(job.source.layout, raw):
                reading.result()
                people = known.people | job.source.unsent | named
                written = replace(written, orgs=known.orgs(), people=people)
            roster = watch.stage("normalise", normalize, job.source.layout, raw, written)
            if holders := known.names(roster.contested):
                roster = normalize(job.source.layout, raw, replace(written, holders=holders))
            roster = restore_old_ids(roster, ids, found)
        # 3 read the ledger
        reading.result()
    return check_roster(roster, known, job, watch)


def accept_drop(job: Job, ledger: Ledger, watch: Watch = SILENT) -> Accepted:
    """Run steps 1 to 4."""
    known = LedgerView(ledger, job.key)
    return accept(check_drop(job, known, watch), known, job)


@dataclass(frozen=True)
class Delivery:
    """The changes to deliver: those of a drop, an earlier roster or a plan."""

    begun: float  # when the run began, by `time.monotonic()`
    changes: Changes = field(default_factory=dict)
    known: LedgerFrames = field(default_factory=dict)
    context: GuardContext = field(default_factory=GuardContext)
    # what judges the changes instead of the guard, for a plan that a person has approved
    judge: GuardStep | None = None
    findings: tuple[Findings, ...] = ()
    # the findings that refuse the drop; None if it is not refused
    refused: pl.DataFrame | None = None
    content: str = ""  # the digest of the archived roster; blank if none was archived
    spoken: Mapping[str, pl.Series] = field(default_factory=dict)  # as in `RunResult`


def compare(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> Delivery:
    """Run steps 1 to 5, and archive the accepted roster."""
    begun = time.monotonic()
    known = LedgerView(ledger, job.key)
    # 4 check
    accepted = accept(check_drop(job, known, watch), known, job)
    if accepted.refused.height:
        return Delivery(
            begun,
            findings=(with_source_columns(accepted.findings, accepted.spelt),),
            refused=accepted.refused,
        )
    records = recover(accepted.standing, accepted.known, job, ledger, archive)
    before = roster_before_drop(accepted.standing, records, job, ledger, archive)
    standing, ended_roles = settle_roles(accepted.standing, before, records, job.load.carrying)
    standing, main_teachers = settle_main_teachers(
        standing, enrollments_before_drop(standing, job, archive)
    )
    findings = [
        with_source_columns(one, accepted.spelt)
        for one in (accepted.findings, *map(with_real_files, (ended_roles, main_teachers)))
    ]
    marks = fingerprints_by_entity(standing)
    content = (
        _archive_accepted(accepted, standing, marks, job, ledger, archive)
        if job.run.command == "sync"
        else ""
    )
    unsure = mark_unsure_records(records, job, ledger)
    doubted = mark_shared_records(standing, unsure, job, ledger, archive if content else None)
    spoken = {
        name: judged.accepted["sourcedId"]
        for name, judged in standing.items()
        if judged.mode != "bulk"
    }
    if (job.load.in_arrears or taken_over(unsure, doubted)) and content:
        drop = standing
        standing, unsent = add_unsent(
            drop, archive.standing(job.run.id), doubted, decided_on(job, ledger)
        )
        standing, lost = leave_out_lost_references(
            standing, drop, doubted, lambda names: ids_elsewhere(names, known, job)
        )
        findings, marks = [*findings, unsent, lost], fingerprints_by_entity(standing)
    # 5 diff
    difference = watch.stage("compare", diff, standing, doubted, marks)
    changes = with_policies(difference.changes, job, ledger)
    findings += [
        difference.findings,
        shared_ids(changes, job, ledger),
        unknown_owners(job, ledger),
    ]
    context = replace(
        guard_context(
            changes, accepted.rejections, records, job, ledger, archive, accepted.findings
        ),
        taken_over=taken_over(unsure, doubted),
    )
    return Delivery(
        begun, changes, records, context, findings=tuple(findings), content=content, spoken=spoken
    )


def deliver(
    delivery: Delivery,
    job: Job,
    ledger: Ledger,
    watch: Watch,
    before_load: Callable[[GuardResult], None] | None = None,
) -> RunResult:
    """Run steps 6 to 9. `before_load` gets the guarded changes before any of them is sent."""
    if delivery.refused is not None:
        return run_result(job, delivery.begun, delivery.findings, refused=delivery.refused)
    # 6 guard
    judge = delivery.judge or partial(
        guard, past=delivery.context, limits=job.guard.limits, raised=job.guard.raised
    )
    guarded = watch.stage("guard", judge, delivery.changes)
    records = held_records(guarded.changes, delivery.known)
    begun, findings = delivery.begun, delivery.findings
    content, spoken = delivery.content, delivery.spoken
    del delivery, judge  # free the memory of a large district's frames before the load
    if before_load:
        before_load(guarded)
    # 7 load, parents first, deletes last
    # 8 record the outcomes after every batch
    loaded = watch.stage("load", load, guarded, job, ledger, watch)
    result = run_result(
        job, begun, (*findings, Findings(notices=loaded.notices)), guarded=guarded, loaded=loaded
    )
    # 9 report
    return replace(result, records=records, content=content, spoken=spoken)


def _id_file(raw: Raw, job: Job) -> tuple[RawFile | None, Findings]:
    """Return the file of old and new ids: the drop's own, or the one that the feed file names.

    Raises `SettingsError` if there are two: nobody can say which one counts.
    """
    file = find_id_file(raw.files)
    if job.source.ids is None:
        return file, Findings()
    if file is not None:
        raise SettingsError(
            f"The drop has a file of ids of its own, {file.name}, and `ids` names another: "
            f"{job.source.ids}. Put all lines into one of them, and remove the other."
        )
    separate = read_file(job.source.ids)
    return next(iter(separate.files.values()), None), separate.findings


def _named_ids(ids: RawFile | None, job: Job) -> frozenset[str]:
    """Return the readable ids that a person has named: in a file of ids, or as not to be shared."""
    return composite_new_ids(ids) | frozenset(one for one in job.load.scope.exclude if "/" in one)


def _archive_accepted(
    accepted: Accepted,
    standing: RosterState,
    marks: Fingerprints,
    job: Job,
    ledger: Ledger,
    archive: Archive,
) -> str:
    """Archive the accepted roster, and return its digest.

    The ledger notes how new the records are first, so that an older drop never overwrites them.
    """
    ledger.note_moments(job.key, accepted.moments)
    content = archive.keep(job.run.id, standing, job.source.before, marks)
    cross_lists = {(CROSS_LISTED, one): course for one, course in accepted.cross_listed.items()}
    ledger.note_renamed(job.key, {**accepted.renamed, **cross_lists}, job.run.id)
    if accepted.salted:
        note_salt(job.source.salt, job.key, job.run.id, ledger)
    return content


def run_result(
    job: Job,
    begun: float,
    found: Sequence[Findings],
    *,
    refused: pl.DataFrame | None = None,
    guarded: GuardResult | None = None,
    loaded: LoadResult | None = None,
) -> RunResult:
    """Build the result of a run."""
    findings = merge_findings([*found])
    changes = guarded.changes if guarded else {}
    sent = loaded or LoadResult({})
    return RunResult(
        run=job.run.id,
        command=job.run.command,
        district=job.run.district,
        target=job.load.target.name,
        counts={
            name: add_counts([entity.counts, sent.counts.get(name, {})])
            for name, entity in changes.items()
        },
        let_go={
            name: _count_removed(entity, sent.counts.get(name, {}))
            for name, entity in changes.items()
        },
        findings=findings,
        refused=refused if refused is not None else findings.fatal.clear(),
        holds=guarded.holds if guarded else (),
        readings=guarded.readings if guarded else (),
        pairs=guarded.pairs if guarded else no_pairs(),
        whole=frozenset(name for name, entity in changes.items() if entity.whole),
        raised=guarded.raised if guarded else False,
        troubles=sent.troubles,
        error=sent.error or "",
        requests=sent.requests,
        retries=sent.retries,
        seconds=time.monotonic() - begun,
        strict=job.source.strict,
        adds_only=job.guard.adds_only,
        folder=job.folder,
        repeat=job.run.repeat,
    )


def _count_removed(entity: EntityChanges, sent: Counts) -> int:
    """Count the removed records that were disabled, deleted or kept by policy.

    A removal that did not arrive may still be held, and is not counted.
    """
    return sent.get("deleted", 0) + sent.get("disabled", 0) + entity.of("keep").height
