"""The straight line: from a drop to a target that holds exactly that roster."""

from __future__ import annotations

import time
from dataclasses import replace

import polars as pl

from connectors.archive import Archive
from connectors.ledger import Ledger
from connectors.oneroster.loaded import Loaded
from flows.accepting import Accepted, accept
from flows.claims import claimed
from flows.idle import left_behind
from flows.job import Job
from flows.past import decided_on, details_of, past_of, turned_down
from flows.recovering import in_doubt, recovered
from flows.result import Result
from flows.salts import note_salt
from flows.watch import NOBODY, Watch
from transforms.arrears import with_arrears
from transforms.changes import ACTION, ACTIVE, KEPT, REMOVALS, Changes, Counts, EntityChanges, added
from transforms.checks.references import Known
from transforms.diff import Marks, diff, marked
from transforms.findings import Findings, gather, located, spelt
from transforms.guard import Guarded, guard, planned
from transforms.guard.guard import no_pairs
from transforms.guard.past import NEAR
from transforms.judged import Judged, Standing
from transforms.order import children_first
from transforms.part_ends import is_silent, with_ends
from transforms.vanishing import Details, decided


def straight_line(job: Job, ledger: Ledger, archive: Archive, watch: Watch = NOBODY) -> Result:
    """Run a job's nine steps; `watch` sees each stage, and each batch of the load.

    What a drop or a target may bring ends in the result; only a target that cannot be read, where the
    feed calls records there `external` or a killed run may have left some, raises `TargetError`, before anything is sent.
    """
    started = time.monotonic()
    accepted = accept(job, ledger, watch)  # 1 to 4, in flows/accepting.py
    if accepted.refused.height:
        return result_of(job, started, [spelt(accepted.findings, accepted.spelt)], refused=accepted.refused)
    known = recovered(accepted.standing, accepted.known, job, ledger, archive)
    standing, told = with_ends(
        accepted.standing, _before(accepted.standing, known, job, ledger, archive), known, job.carrying
    )
    findings = [spelt(one, accepted.spelt) for one in (accepted.findings, located(told))]
    marks = marked(standing)
    content = _kept(accepted, standing, marks, job, ledger, archive) if job.command == "sync" else ""
    doubted = in_doubt(known, job, ledger)
    spoken = {name: judged.accepted["sourcedId"] for name, judged in standing.items() if judged.mode != "bulk"}
    if job.in_arrears and content:
        standing, told = with_arrears(standing, archive.standing(job.run), doubted, decided_on(job, ledger))
        findings, marks = [*findings, told], marked(standing)
    difference = watch.stage("compare", diff, standing, doubted, marks)  # 5
    changes = with_policies(difference.changes, job, ledger)
    findings += [difference.findings, claimed(changes, job, ledger)]
    past = past_of(changes, accepted.rejections, known, job, ledger, archive, accepted.findings)
    guarded = watch.stage("guard", guard, changes, past, job.limits, job.raised)  # 6
    records = planned(guarded.changes, known)
    # A large district's frames need not live until the last record is sent.
    del accepted, standing, known, doubted, changes, past
    loaded = watch.stage("load", send, guarded, job, ledger, watch)  # 7, and 8 after every batch
    findings += [Findings(notices=loaded.notices)]
    result = result_of(job, started, findings, guarded=guarded, loaded=loaded)  # 9 is told by the caller
    return replace(result, records=records, content=content, spoken=spoken)


def _kept(accepted: Accepted, standing: Standing, marks: Marks, job: Job, ledger: Ledger, archive: Archive) -> str:
    """Keep what was accepted, and give its digest; how new it is first, so that nothing older ever goes over it."""
    ledger.note_moments(job.key, accepted.moments)
    content = archive.keep(job.run, standing, job.before, marks)
    ledger.note_renamed(job.key, accepted.renamed, job.run)
    if accepted.salted:
        note_salt(job.salt, job.key, job.run, ledger)
    return content


def _before(standing: Standing, known: Known, job: Job, ledger: Ledger, archive: Archive) -> Standing:
    """What of the roster until now says which roles have ended, where a drop does not say all roles.

    Of what people have decided not to send, it is what was sent before; so it is of what waits, where a drop tells of everybody
    again. What a delta said and what waits is not said again.
    """
    if not is_silent(standing) or job.before not in archive.runs():
        return {}
    found = {name: archive.judged(job.before, name) for name in ("users", "enrollments")}
    down = turned_down(job, ledger)
    if any(judged.mode == "unknown" for judged in standing.values()):
        down = down.vstack(decided_on(job, ledger).drop_nulls("fingerprint"))
    return {
        name: _as_sent(judged, down.filter(entity=name)["sourcedId"], known, job, archive)
        for name, judged in found.items()
        if judged is not None
    }


def _as_sent(judged: Judged, ids: pl.Series, known: Known, job: Job, archive: Archive) -> Judged:
    """Give a roster's records, some of them as the target has them; those that it lacks are left out."""
    name = judged.entity.name
    if not ids.len() or name not in known:
        return judged
    there = known[name].filter(pl.col("sourcedId").is_in(ids.implode())).select("sourcedId", "fingerprint")
    others = judged.accepted.filter(~pl.col("sourcedId").is_in(ids.implode()))
    return replace(
        judged, accepted=pl.concat([others, archive.sent(name, there, job.before).drop(NEAR)], how="diagonal")
    )


def with_policies(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Say what is done with what vanished, and in which order: nothing is deleted before what hangs on it."""
    details = details_of(changes, job, ledger)
    return ordered(decided(not_of_others(changes, job, ledger), details, job.removed, job.today), details)


def not_of_others(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Leave to other feeds of the same target what they have sent too, until it has vanished from their drops as well.

    Of what only feeds have sent that no longer run a person decides (`idle.py`).
    """
    names = [name for name, part in changes.items() if part.removals.height]
    others = ledger.of_others(job.key, names, (ACTIVE,))
    orphans = left_behind(changes, job, ledger) if others else None

    def _left(part: EntityChanges) -> EntityChanges:
        theirs = pl.col("sourcedId").is_in(others[part.entity].implode())
        if orphans is not None and orphans.height:
            theirs &= ~pl.col("sourcedId").is_in(orphans.filter(entity=part.entity)["sourcedId"].implode())
        action = pl.when(theirs & (pl.col(ACTION) != "kept")).then(pl.lit("stay")).otherwise(ACTION)
        return replace(part, removals=part.removals.with_columns(action.alias(ACTION)))

    return {name: _left(part) if name in others else part for name, part in changes.items()}


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
    loaded = _loaded(guarded.changes, job, ledger, watch)
    # At the end: of a run that is killed, the next one sees again what vanished, and judges all of it.
    _note(guarded.changes, job, ledger)
    return loaded


def _loaded(changes: Changes, job: Job, ledger: Ledger, watch: Watch) -> Loaded:
    if not any(entity.due for entity in changes.values()):
        return Loaded({})
    # What talks to a target takes a while to import, and most nights of most feeds send nothing.
    if job.rehearsal:
        from flows.backfills.rehearsing import rehearsed

        return rehearsed(changes, job, ledger)
    from flows.loading import load

    return load(changes, job, ledger, watch)


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


def _let_go(entity: EntityChanges, sent: Counts) -> int:
    """How much vanished and is gone by now, or is kept by the feed's policy; what did not arrive may still be held."""
    return sent.get("deleted", 0) + sent.get("disabled", 0) + entity.of("keep").height


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
        let_go={name: _let_go(entity, sent.counts.get(name, {})) for name, entity in changes.items()},
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
        seconds=time.monotonic() - started,
        strict=job.strict,
        adds_only=job.adds_only,
        folder=job.folder,
        repeat=job.repeat,
    )
