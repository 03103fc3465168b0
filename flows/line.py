"""The straight line: from a drop to a target that holds exactly that roster."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from connectors.archive import Archive
from connectors.drops import read, read_file
from connectors.ledger import Ledger
from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.loaded import Loaded
from flows.job import Job
from flows.past import details_of, past_of
from flows.result import Result
from transforms.binding.lifting import with_schools
from transforms.carry import carry, not_carried
from transforms.changes import ACTION, ACTIVE, DELETED, KEPT, REMOVALS, Changes, Counts, EntityChanges, added
from transforms.checks import check, prepare
from transforms.checks.references import Elsewhere, trees_to_know, wanted_elsewhere
from transforms.diff import diff
from transforms.findings import Findings, gather
from transforms.guard import Guarded, guard, planned
from transforms.guard.stops import VANISHED
from transforms.order import children_first
from transforms.raw import Raw, RawFile
from transforms.rejections import rejections_of
from transforms.renaming import file_of_ids, renamed
from transforms.roster import Roster
from transforms.share import share, unjudged, unknown
from transforms.sources import normalise
from transforms.vanishing import Details, decided
from transforms.verdict import refusals

Watch = Callable[[str, int, int], None]


def straight_line(job: Job, ledger: Ledger, archive: Archive, watch: Watch = lambda *_: None) -> Result:
    """Run a job's nine steps; `watch` is told (entity, records done, records in all) while loading.

    What a drop or a target may bring ends in the result; only a target that cannot be read, where the
    feed calls records there `external`, raises `TargetError`, before anything is sent.
    """
    started = time.monotonic()
    with ThreadPoolExecutor(2) as aside:
        aside.submit(prepare)
        knowing = aside.submit(ledger.known, job.key)  # 3 needs nothing of 1 and 2
        raw = read(job.drop, encoding=job.encoding, strict=job.strict)  # 1
        roster = renamed(normalise(job.layout, raw, job.today, job.strict), *_ids(raw, job))  # 2
        known = knowing.result()
    roster = _placed(roster, job, ledger)
    known |= {name: ledger.details(job.key, name) for name in trees_to_know(roster)}
    checked = check(roster, known, job.strict, _elsewhere(roster, job, ledger))  # 4
    refused = refusals(checked.findings, job.strict)
    if refused.height:
        return result_of(job, started, [checked.findings], refused=refused)
    shared = share(checked.standing, job.scope, known)
    carried = carry(shared, job.carrying, known, COLLECTIONS, _root(ledger, job))
    findings = [
        checked.findings,
        unknown(checked.standing, job.scope),
        unjudged(shared),
        *not_carried(roster, COLLECTIONS),
        carried.findings,
    ]
    rejections = rejections_of(roster, gather(findings))
    del raw, roster, checked, shared  # a large district's frames need not live until the last record is sent
    content = archive.keep(job.run, carried.standing, job.before) if job.command == "sync" else ""
    difference = diff(carried.standing, known)  # 5
    changes = with_policies(difference.changes, job, ledger)
    guarded = guard(changes, past_of(changes, rejections, known, job, ledger), job.limits, job.raised)  # 6
    records = planned(guarded.changes, known, carried.standing)
    del carried, known, changes
    loaded = send(guarded, job, ledger, watch)  # 7, and 8 after every batch
    findings += [difference.findings, Findings(notices=loaded.notices)]
    result = result_of(job, started, findings, guarded=guarded, loaded=loaded)  # 9 is told by the caller
    return replace(result, records=records, content=content)


def _ids(raw: Raw, job: Job) -> tuple[RawFile | None, Findings]:
    """The file of old and new ids: the drop's own, or the one that the feed's file names."""
    if (file := file_of_ids(raw.files)) is not None or job.ids is None:
        return file, Findings()
    other = read_file(job.ids)
    return next(iter(other.files.values()), None), other.findings


def _placed(roster: Roster, job: Job, ledger: Ledger) -> Roster:
    """Find the schools of line items in the ledger, where neither they nor the drop's classes say them (OneRoster 1.1)."""
    items = roster.tables.get("lineItems")
    if items is None or not items.frame["schoolSourcedId"].null_count():
        return roster
    placed = with_schools(items, ledger.schools_of(job.key, "classes"))
    return replace(roster, tables={**roster.tables, "lineItems": placed})


def _elsewhere(roster: Roster, job: Job, ledger: Ledger) -> Elsewhere:
    """The records of others to which a drop may refer: as other feeds' ledgers know them, or as the target does."""
    wanted = wanted_elsewhere(roster)
    others = ledger.of_others(job.key, wanted)
    if asked := [name for name in wanted if name in job.external and name in COLLECTIONS]:
        from flows.loading import active_ids

        others |= active_ids(asked, job)
    return others


def _root(ledger: Ledger, job: Job) -> str | None:
    """The organisation above all others, as far as the ledger knows one; for drops without organisations."""
    orgs = ledger.details(job.key, "orgs").filter(
        (pl.col("status") != DELETED) & pl.col("parents").fill_null("").eq("")
    )
    return str(orgs["sourcedId"][0]) if orgs.height == 1 else None


def with_policies(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Say what is done with what vanished, and in which order: nothing is deleted before what hangs on it."""
    details = details_of(changes, job, ledger)
    return ordered(decided(changes, details, job.removed, job.today), details)


def ordered(changes: Changes, details: Details) -> Changes:
    """Order what vanished such that children come before their parents."""

    def _ordered(part: EntityChanges) -> EntityChanges:
        if part.entity not in details or not part.removals.height:
            return part
        return replace(part, removals=children_first(part.entity, part.removals, details[part.entity]))

    return {name: _ordered(part) for name, part in changes.items()}


def send(guarded: Guarded, job: Job, ledger: Ledger, watch: Watch) -> Loaded:
    """Send the changes, or tell what would be sent."""
    if job.command != "sync":
        return Loaded({name: _would_be(entity) for name, entity in guarded.changes.items()})
    if guarded.held and job.all_or_nothing:
        return Loaded({name: _waiting(entity) for name, entity in guarded.changes.items()})
    _note(guarded.changes, job, ledger)
    if not any(entity.due for entity in guarded.changes.values()):
        return Loaded({})
    # What talks to a target takes a while to import, and most nights of most feeds send nothing.
    from flows.loading import load

    return load(guarded.changes, job, ledger, watch)


def _note(changes: Changes, job: Job, ledger: Ledger) -> None:
    """Note in the ledger what needs no request: who vanished and is kept, and who is back as the target has them."""
    for name, part in changes.items():
        for status, ids in ((KEPT, part.of("keep", "stay")["sourcedId"]), (ACTIVE, part.returned)):
            if ids.len():
                ledger.mark(job.key, name, status, ids.to_list(), job.run)


def _would_be(entity: EntityChanges) -> Counts:
    updates = entity.upserts.filter(pl.col(ACTION) == "update").height
    counts: Counts = {"created": entity.upserts.height - updates, "updated": updates}
    for action, (term, _) in REMOVALS.items():
        counts[term] = counts.get(term, 0) + entity.of(action).height
    return counts


def _waiting(entity: EntityChanges) -> Counts:
    return {"waiting": entity.due}


def result_of(job: Job, started: float, found: list[Findings], *, refused: pl.DataFrame | None = None,
              guarded: Guarded | None = None, loaded: Loaded | None = None) -> Result:  # fmt: skip
    """Put together what a run came to."""
    findings = gather(found)
    changes = guarded.changes if guarded else {}
    sent = loaded or Loaded({})
    return Result(
        run=job.run,
        command=job.command,
        district=job.district,
        target=job.target.name,
        counts={name: added([entity.counts, sent.counts.get(name, {})]) for name, entity in changes.items()},
        let_go={name: entity.of(*VANISHED).height for name, entity in changes.items()},
        findings=findings,
        refused=refused if refused is not None else findings.fatal.clear(),
        holds=guarded.holds if guarded else (),
        raised=guarded.raised if guarded else False,
        troubles=sent.troubles,
        error=sent.error or "",
        requests=sent.requests,
        seconds=time.monotonic() - started,
        strict=job.strict,
        adds_only=job.adds_only,
        folder=job.folder,
    )
