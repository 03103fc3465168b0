"""The straight line: from a drop to a target that holds exactly that roster."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from connectors.drops import read
from connectors.ledger import Ledger
from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.loaded import Loaded
from flows.job import Job
from flows.result import Result
from transforms.binding.lifting import with_schools
from transforms.carry import carry, not_carried
from transforms.changes import ACTION, Changes, Counts, EntityChanges, added
from transforms.checks import check, prepare
from transforms.checks.references import Elsewhere, trees_to_know, wanted_elsewhere
from transforms.diff import diff
from transforms.findings import Findings, gather
from transforms.guard import Guarded, guard
from transforms.order import children_first
from transforms.roster import Roster
from transforms.share import share, unjudged, unknown
from transforms.sources import normalise
from transforms.verdict import refusals

Watch = Callable[[str, int, int], None]


def straight_line(job: Job, ledger: Ledger, watch: Watch = lambda *_: None) -> Result:
    """Run a job's nine steps; `watch` is told (entity, records done, records in all) while loading.

    What a drop or a target may bring ends in the result; only a target that cannot be read, where the
    feed calls records there `external`, raises `TargetError`, before anything is sent.
    """
    started = time.monotonic()
    with ThreadPoolExecutor(2) as aside:
        aside.submit(prepare)
        knowing = aside.submit(ledger.known, job.key)  # 3 needs nothing of 1 and 2
        raw = read(job.drop, encoding=job.encoding, strict=job.strict)  # 1
        roster = normalise(job.layout, raw, job.today, job.strict)  # 2
        known = knowing.result()
    roster = _placed(roster, job, ledger)
    known |= {name: ledger.details(job.key, name) for name in trees_to_know(roster)}
    checked = check(roster, known, job.strict, _elsewhere(roster, job, ledger))  # 4
    refused = refusals(checked.findings, job.strict)
    if refused.height:
        return _result(job, started, [checked.findings], refused=refused)
    shared = share(checked.standing, job.scope, known)
    carried = carry(shared, job.carrying, known, COLLECTIONS, _root(ledger, job))
    findings = [
        checked.findings,
        unknown(checked.standing, job.scope),
        unjudged(shared),
        *not_carried(roster, COLLECTIONS),
        carried.findings,
    ]
    del raw, roster, checked, shared  # a large district's frames need not live until the last record is sent
    difference = diff(carried.standing, known, job.kept)  # 5
    del carried, known
    guarded = guard(
        _children_first(difference.changes, ledger, job), job.approve, f"{job.key.target} {job.key.feed}"
    )  # 6
    loaded = _sent(guarded, job, ledger, watch)  # 7, and 8 after every batch
    findings += [difference.findings, Findings(notices=loaded.notices)]
    return _result(job, started, findings, guarded=guarded, loaded=loaded)  # 9 is told by the caller


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
        (pl.col("status") == "active") & pl.col("parents").fill_null("").eq("")
    )
    return str(orgs["sourcedId"][0]) if orgs.height == 1 else None


def _children_first(changes: Changes, ledger: Ledger, job: Job) -> Changes:
    """Order what is to be deleted such that nothing is deleted before what hangs on it."""

    def ordered(entity: EntityChanges) -> EntityChanges:
        if not entity.of("delete").height:
            return entity
        details = ledger.details(job.key, entity.entity, entity.removals["sourcedId"])
        return replace(entity, removals=children_first(entity.entity, entity.removals, details))

    return {name: ordered(entity) for name, entity in changes.items()}


def _sent(guarded: Guarded, job: Job, ledger: Ledger, watch: Watch) -> Loaded:
    """Send the changes, or tell what would be sent."""
    if job.command != "sync":
        return Loaded({name: _would_be(entity) for name, entity in guarded.changes.items()})
    if guarded.held and job.all_or_nothing:
        return Loaded({name: _waiting(entity) for name, entity in guarded.changes.items()})
    if not any(entity.upserts.height or entity.of("delete").height for entity in guarded.changes.values()):
        return Loaded({})
    # What talks to a target takes a while to import, and most nights of most feeds send nothing.
    from flows.loading import load

    return load(guarded.changes, job, ledger, watch)


def _would_be(entity: EntityChanges) -> Counts:
    updates = entity.upserts.filter(pl.col(ACTION) == "update").height
    return {"created": entity.upserts.height - updates, "updated": updates, "deleted": entity.of("delete").height}


def _waiting(entity: EntityChanges) -> Counts:
    return {"waiting": entity.upserts.height + entity.of("delete").height}


def _result(job: Job, started: float, found: list[Findings], *, refused: pl.DataFrame | None = None,
            guarded: Guarded | None = None, loaded: Loaded | None = None) -> Result:  # fmt: skip
    findings = gather(found)
    changes = guarded.changes if guarded else {}
    sent = loaded.counts if loaded else {}
    return Result(
        run=job.run,
        command=job.command,
        district=job.district,
        target=job.target.name,
        counts={name: added([entity.counts, sent.get(name, {})]) for name, entity in changes.items()},
        findings=findings,
        refused=refused if refused is not None else findings.fatal.clear(),
        plan=guarded.plan if guarded and guarded.held else "",
        troubles=loaded.troubles if loaded else (),
        error=(loaded.error or "") if loaded else "",
        requests=loaded.requests if loaded else 0,
        seconds=time.monotonic() - started,
        strict=job.strict,
        approval=job.approve or "",
        held={
            name: entity.of("held")["sourcedId"].to_list()
            for name, entity in changes.items()
            if entity.of("held").height
        },
        folder=job.folder,
    )
