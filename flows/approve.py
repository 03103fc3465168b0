"""Send a plan that a person has approved, from the archived roster that it was made of."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import polars as pl

from connectors.ledger import Ledger
from connectors.ledger.history import Plan
from connectors.roster_archive import Archive
from flows.errors import SettingsError
from flows.guard_context import children_of, details_of_removals
from flows.job import Job
from flows.overtaken_plans import valid_records
from flows.ownership import mark_shared_records
from flows.pipeline import Delivery, deliver, run_result
from flows.plans import WAITS, close_expired_plans
from flows.policies import children_before_parents, keep_shared_records
from flows.result import RunResult
from flows.watch import SILENT, Watch
from transforms.changes import Changes
from transforms.checks.references import LedgerFrames, in_target
from transforms.diff import diff
from transforms.guard import GuardResult, changed_since, changes_of_plan, guard_plan
from transforms.schemas import ENTITIES

# Why a plan cannot be approved, by its status.
WHY_NOT = {
    "sent": "was sent on {day}. There is nothing left to approve",
    "replaced": "was replaced by a newer one",
    "discarded": "was discarded on {day}",
    "expired": "expired on {expires}",
}


def approve(job: Job, ledger: Ledger, archive: Archive, watch: Watch = SILENT) -> RunResult:
    """Send the plan that `job.run.approve` names. `roster plan` only reports what it would send.

    Changes that newer rosters contradict are left out. If any other record of the plan changed in
    the ledger since, nothing is sent, and the result lists these records. The guard holds deletions
    of records that others need by now, and records whose parents are gone.

    Raises `SettingsError` if this feed has no such plan, or it cannot be approved any more.
    """
    begun = time.monotonic()
    plan = _find_plan(job, ledger)
    valid, known = valid_records(plan, job, ledger, archive, watch), ledger.known(job.key)
    changed = changed_since(valid.records, known)
    if changed.height:
        result = run_result(job, begun, [])
        return replace(result, moved=changed, plan=plan.id, approved=plan.id, told=valid.told)
    standing = archive.standing(plan.run)
    marked = mark_shared_records(standing, known, job, ledger)
    difference = watch.stage("compare", diff, standing, marked)
    changes = changes_of_plan(valid.records, difference.changes, job.run.today)
    judge = partial(_guard_approved, plan=plan, known=known, job=job, ledger=ledger)

    def note_approval(guarded: GuardResult) -> None:
        if job.run.command == "sync" and plan.status == "open" and _sends_some(guarded, job):
            ledger.decide(
                plan.id, "approved", by=job.run.by, note=job.run.note, at=datetime.now(UTC)
            )

    delivery = Delivery(begun, changes, known, judge=judge, findings=(difference.findings,))
    result = deliver(delivery, job, ledger, watch, before_load=note_approval)
    if job.run.command == "sync" and not (
        result.error or result.total("failed") or result.total("waiting")
    ):
        ledger.decide(plan.id, "sent", by=job.run.by, note=job.run.note, at=datetime.now(UTC))
    result = replace(result, approved=plan.id, told=valid.told)
    # What is held again becomes a plan that expires when this one does.
    if not (result.records.height and job.guard.all_or_nothing):
        return replace(result, source=plan.run, expires=plan.expires)
    # Nothing was sent without the held changes, so this plan stays as it is.
    return replace(
        result,
        records=result.records.clear(),
        plan=plan.id,
        waits=plan.run,
        expires=plan.expires,
        told=(*result.told, *(hold.sentence for hold in result.holds)),
    )


def _find_plan(job: Job, ledger: Ledger) -> Plan:
    close_expired_plans(job, ledger)
    plan = ledger.plan(job.run.approve or "")
    waiting = [one.id for one in ledger.plans(job.key, status="open") if one.id != job.run.approve]
    there = f"Waiting: {', '.join(waiting)}." if waiting else "No plan of this feed waits."
    if plan is None:
        raise SettingsError(f"There is no plan {job.run.approve!r}. {there}")
    if plan.key != job.key:
        raise SettingsError(
            f"Plan {plan.id} is of feed {plan.key.feed!r} into {plan.key.target}, "
            f"and this is {job.key.feed!r} into {job.key.target}."
        )
    if plan.status in WHY_NOT:
        day = f"{plan.decided:%Y-%m-%d}" if plan.decided else "an earlier day"
        why = WHY_NOT[plan.status].format(day=day, expires=f"{plan.expires:%Y-%m-%d}")
        raise SettingsError(
            f"Plan {plan.id} {why}. {there} Run `roster plan` to see what would be held now."
        )
    return plan


def _guard_approved(
    changes: Changes, plan: Plan, known: LedgerFrames, job: Job, ledger: Ledger
) -> GuardResult:
    """Keep what other feeds have sent too, and hold what no longer fits the target."""
    changes = keep_shared_records(changes, job, ledger)
    changes = children_before_parents(changes, details_of_removals(changes, job, ledger))
    since = [run.id for run in ledger.runs(job.key) if run.started > plan.made]
    # The person has seen the children that were there when the plan was made, so only newer ones
    # count. But nobody checked the children of changes that come from an older plan: all count.
    taken_over = any(hold.rule == WAITS for hold in plan.holds)
    children = children_of(changes, job, ledger, sent_by=None if taken_over else since)
    return guard_plan(changes, children, _ids_in_target(changes, known, job, ledger))


def _ids_in_target(
    changes: Changes, known: LedgerFrames, job: Job, ledger: Ledger
) -> dict[str, pl.Series]:
    """Return the ids in the target, of this feed and of others, that the upserts may refer to."""
    sent = [name for name, part in changes.items() if part.upserts.height]
    named = {column.refers for name in sent for column in ENTITIES[name].references}
    names = [
        name
        for name in job.load.target.profile.collections
        if name in named and name not in job.guard.external
    ]
    others = ledger.of_others(job.key, names)
    return {
        name: pl.concat([in_target(known, name), others.get(name, pl.Series(dtype=pl.String))])
        for name in names
    }


def _sends_some(guarded: GuardResult, job: Job) -> bool:
    """Whether the guard lets any change of the plan pass, or holds none."""
    left = any(part.upserts.height or part.removals.height for part in guarded.changes.values())
    return not guarded.held or (left and not job.guard.all_or_nothing)
