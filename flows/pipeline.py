"""The pipeline: from the drop of a feed to a target that holds exactly that roster.

`run_pipeline` runs the nine steps for a drop. Whatever else is sent (an earlier roster, an approved plan, a repair) ends in the
same `deliver`.
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
from connectors.oneroster.outcomes import Loaded
from connectors.roster_archive import Archive
from flows.accept import Accepted, CheckedDrop, accept, check_roster, shared_ids
from flows.ended_roles import roster_until_now
from flows.extract import extract
from flows.guard_context import guard_context
from flows.job import Job
from flows.load import load
from flows.policies import with_policies
from flows.recover import recover, with_doubts
from flows.result import RunResult
from flows.run_history import decided_on
from flows.salts import digests_of, note_salt
from flows.watch import NOBODY, Watch
from transforms.changes import Changes, Counts, EntityChanges, added
from transforms.checks import prepare
from transforms.checks.references import Known
from transforms.delta import with_arrears
from transforms.diff import Marks, diff, marked
from transforms.findings import Findings, gather, located, spelt
from transforms.guard import Guarded, guard, planned
from transforms.guard.guard import no_pairs
from transforms.records import RosterState
from transforms.renamed_ids import file_of_ids, readable_in, renamed
from transforms.role_ends import with_ends
from transforms.roster import Raw, RawFile, Roster
from transforms.sources import normalize

ReadRoster = Callable[[Job, Watch], Roster]
Judge = Callable[[Changes], Guarded]
# What sends the changes of one run: the nine steps of a drop, or what ends in the same `deliver`.
Pipeline = Callable[[Job, Ledger, Archive, Watch], RunResult]


def run_pipeline(job: Job, ledger: Ledger, archive: Archive, watch: Watch = NOBODY) -> RunResult:
    """Run the nine steps; `watch` sees each stage, and each batch of the load.

    Whatever is wrong with the drop or the target ends in the result. Only a target that cannot be read, where the
    feed calls records there `external` or a killed run may have left some, raises `TargetError`, before anything is sent.
    """
    return deliver(compare(job, ledger, archive, watch), job, ledger, watch)


def check_drop(
    job: Job, ledger: Ledger, watch: Watch = NOBODY, read: ReadRoster | None = None
) -> CheckedDrop:
    """Take the steps up to the check. `read` takes the roster from elsewhere than the job's drop."""
    with ThreadPoolExecutor(2) as aside:
        aside.submit(prepare)  # pandera takes as long to import as a small drop takes to be read
        reading = aside.submit(ledger.known, job.key)
        digests = digests_of(
            job.source.salt, job.as_written.prefix, job.key, ledger, job.source.unsent
        )
        job = replace(
            job, source=replace(job.source, renamed=ledger.renamed(job.key), digests=digests)
        )
        if read:
            roster = read(job, watch)
        else:
            # 1 read the drop
            raw = watch.stage("extract", extract, job)
            ids, found = _file_of_ids(raw, job)
            written = _keeping_named(ids, job).as_written
            # 2 normalize to OneRoster 1.2
            roster = watch.stage("normalise", normalize, job.source.layout, raw, written)
            roster = renamed(roster, ids, found)
        # 3 read the ledger
        known = reading.result()
    return check_roster(roster, known, job, ledger, watch)


def accept_drop(job: Job, ledger: Ledger, watch: Watch = NOBODY) -> Accepted:
    """Take steps 1 to 4."""
    return accept(check_drop(job, ledger, watch), job, ledger)


@dataclass(frozen=True)
class Delivery:
    """What is to be delivered: the changes that a drop, an earlier roster or a plan came to."""

    begun: float  # as `time.monotonic()` says
    changes: Changes = field(default_factory=dict)
    known: Known = field(default_factory=dict)
    judge: Judge = Guarded
    findings: tuple[Findings, ...] = ()
    refused: pl.DataFrame | None = None  # the findings that refuse the drop
    content: str = ""  # the digest of the roster, once it is archived
    spoken: Mapping[str, pl.Series] = field(default_factory=dict)  # as in `Result`


def compare(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> Delivery:
    """Take steps 1 to 5, and keep in the archive what is accepted of the drop."""
    begun = time.monotonic()
    # 4 check
    accepted = accept(check_drop(job, ledger, watch), job, ledger)
    if accepted.refused.height:
        return Delivery(
            begun, findings=(spelt(accepted.findings, accepted.spelt),), refused=accepted.refused
        )
    known = recover(accepted.standing, accepted.known, job, ledger, archive)
    before = roster_until_now(accepted.standing, known, job, ledger, archive)
    standing, told = with_ends(accepted.standing, before, known, job.load.carrying)
    findings = [spelt(one, accepted.spelt) for one in (accepted.findings, located(told))]
    marks = marked(standing)
    content = (
        _keep(accepted, standing, marks, job, ledger, archive) if job.run.command == "sync" else ""
    )
    doubted = with_doubts(known, job, ledger)
    spoken = {
        name: judged.accepted["sourcedId"]
        for name, judged in standing.items()
        if judged.mode != "bulk"
    }
    if job.load.in_arrears and content:
        standing, told = with_arrears(
            standing, archive.standing(job.run.id), doubted, decided_on(job, ledger)
        )
        findings, marks = [*findings, told], marked(standing)
    # 5 diff
    difference = watch.stage("compare", diff, standing, doubted, marks)
    changes = with_policies(difference.changes, job, ledger)
    findings += [difference.findings, shared_ids(changes, job, ledger)]
    context = guard_context(
        changes, accepted.rejections, known, job, ledger, archive, accepted.findings
    )
    judge = partial(guard, past=context, limits=job.guard.limits, raised=job.guard.raised)
    return Delivery(begun, changes, known, judge, tuple(findings), content=content, spoken=spoken)


def deliver(
    delivery: Delivery,
    job: Job,
    ledger: Ledger,
    watch: Watch,
    before_load: Callable[[Guarded], None] | None = None,
) -> RunResult:
    """Take steps 6 to 9. `before_load` is told what the guard lets through, before any of it is sent."""
    if delivery.refused is not None:
        return run_result(job, delivery.begun, delivery.findings, refused=delivery.refused)
    # 6 guard
    guarded = watch.stage("guard", delivery.judge, delivery.changes)
    records = planned(guarded.changes, delivery.known)
    begun, findings, content, spoken = (
        delivery.begun,
        delivery.findings,
        delivery.content,
        delivery.spoken,
    )
    del delivery  # a large district's frames need not live until the last record is sent
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


def _file_of_ids(raw: Raw, job: Job) -> tuple[RawFile | None, Findings]:
    """The file of old and new ids: the drop's own, or the one that the feed's file names."""
    if (file := file_of_ids(raw.files)) is not None or job.source.ids is None:
        return file, Findings()
    other = read_file(job.source.ids)
    return next(iter(other.files.values()), None), other.findings


def _keeping_named(ids: RawFile | None, job: Job) -> Job:
    """Keep the readable id of whoever a person has named by it: in a file of ids, or as not to be shared."""
    named = readable_in(ids) | frozenset(one for one in job.load.scope.exclude if "/" in one)
    digests = replace(job.source.digests, sent=job.source.digests.sent | named)
    return replace(job, source=replace(job.source, digests=digests))


def _keep(
    accepted: Accepted,
    standing: RosterState,
    marks: Marks,
    job: Job,
    ledger: Ledger,
    archive: Archive,
) -> str:
    """Keep what was accepted, and give its digest; how new it is first, so that nothing older ever goes over it."""
    ledger.note_moments(job.key, accepted.moments)
    content = archive.keep(job.run.id, standing, job.source.before, marks)
    ledger.note_renamed(job.key, accepted.renamed, job.run.id)
    if accepted.salted:
        note_salt(job.source.salt, job.key, job.run.id, ledger)
    return content


def run_result(
    job: Job,
    begun: float,
    found: Sequence[Findings],
    *,
    refused: pl.DataFrame | None = None,
    guarded: Guarded | None = None,
    loaded: Loaded | None = None,
) -> RunResult:
    """Put together what a run came to."""
    findings = gather([*found])
    changes = guarded.changes if guarded else {}
    sent = loaded or Loaded({})
    return RunResult(
        run=job.run.id,
        command=job.run.command,
        district=job.run.district,
        target=job.load.target.name,
        counts={
            name: added([entity.counts, sent.counts.get(name, {})])
            for name, entity in changes.items()
        },
        let_go={
            name: _let_go(entity, sent.counts.get(name, {})) for name, entity in changes.items()
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


def _let_go(entity: EntityChanges, sent: Counts) -> int:
    """How much vanished and is gone by now, or is kept by the feed's policy; what did not arrive may still be held."""
    return sent.get("deleted", 0) + sent.get("disabled", 0) + entity.of("keep").height
