"""Sends a plan that a person has approved: what of it still holds, once, out of the archived roster that it came from."""

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
from flows.guard_context import children_of, details_of
from flows.job import Job
from flows.overtaken_plans import still_valid
from flows.pipeline import Delivery, deliver, run_result
from flows.plans import WAITS, expire
from flows.policies import not_of_others, ordered
from flows.result import RunResult
from flows.watch import NOBODY, Watch
from transforms.changes import Changes
from transforms.checks.references import Known, in_target
from transforms.diff import diff
from transforms.guard import Guarded, guard_plan, moved, of_plan
from transforms.schemas import ENTITIES

WHY_NOT = {
    "sent": "was sent on {day}. There is nothing left to approve",
    "replaced": "was replaced by a newer one",
    "discarded": "was discarded on {day}",
    "expired": "expired on {expires}",
}


def approve(job: Job, ledger: Ledger, archive: Archive, watch: Watch = NOBODY) -> RunResult:
    """Send the plan that `job.approve` names; under `plan`, say what that would send.

    What newer rosters contradict is left out. If the ledger says something else by now about any of the other records,
    nothing is sent, and the result says which. What others need, or what needs others that are gone, goes on waiting.
    Raises `SettingsError` if there is no such plan of this feed, or it cannot be approved any more.
    """
    begun = time.monotonic()
    plan = _plan(job, ledger)
    valid, known = still_valid(plan, job, ledger, archive, watch), ledger.known(job.key)
    astray = moved(valid.records, known)
    if astray.height:
        return replace(
            run_result(job, begun, []),
            moved=astray,
            plan=plan.id,
            approved=plan.id,
            told=valid.told,
        )
    difference = watch.stage("compare", diff, archive.standing(plan.run), known)
    changes = of_plan(valid.records, difference.changes, job.run.today)
    judge = partial(_judge, plan=plan, known=known, job=job, ledger=ledger)

    def note_approval(guarded: Guarded) -> None:
        if job.run.command == "sync" and plan.status == "open" and _is_sent(guarded, job):
            ledger.decide(
                plan.id, "approved", by=job.run.by, note=job.run.note, at=datetime.now(UTC)
            )

    delivery = Delivery(begun, changes, known, judge, (difference.findings,))
    result = deliver(delivery, job, ledger, watch, before_load=note_approval)
    if job.run.command == "sync" and not (
        result.error or result.total("failed") or result.total("waiting")
    ):
        ledger.decide(plan.id, "sent", by=job.run.by, note=job.run.note, at=datetime.now(UTC))
    return _with_rest(replace(result, approved=plan.id, told=valid.told), plan, job)


def _judge(changes: Changes, plan: Plan, known: Known, job: Job, ledger: Ledger) -> Guarded:
    """Leave to other feeds what is theirs, and hold what the plan did not foresee: records that came after it and need what it removes."""
    changes = not_of_others(changes, job, ledger)
    changes = ordered(changes, details_of(changes, job, ledger))
    since = [run.id for run in ledger.runs(job.key) if run.started > plan.made]
    # Of what has waited in an older plan already nobody has looked since then who needs it: all count.
    taken_over = any(hold.rule == WAITS for hold in plan.holds)
    children = children_of(changes, job, ledger, sent_by=None if taken_over else since)
    return guard_plan(changes, children, _there(changes, known, job, ledger))


def _there(changes: Changes, known: Known, job: Job, ledger: Ledger) -> dict[str, pl.Series]:
    """The records of this feed and of others in the target, of the kinds that what is to be sent may name."""
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


def _is_sent(guarded: Guarded, job: Job) -> bool:
    """Whether anything of a plan goes on its way; what is only held waits as it did."""
    left = any(part.upserts.height or part.removals.height for part in guarded.changes.values())
    return not guarded.held or (left and not job.guard.all_or_nothing)


def _with_rest(result: RunResult, plan: Plan, job: Job) -> RunResult:
    """Let what is held be a plan for as long as this one was; if nothing was to be sent without it, this one stays."""
    if result.records.height and job.guard.all_or_nothing:
        told = (*result.told, *(hold.sentence for hold in result.holds))
        nothing = result.records.clear()
        return replace(
            result, records=nothing, plan=plan.id, waits=plan.run, expires=plan.expires, told=told
        )
    return replace(result, source=plan.run, expires=plan.expires)


def _plan(job: Job, ledger: Ledger) -> Plan:
    expire(job, ledger)
    plan = ledger.plan(job.run.approve or "")
    waiting = [one.id for one in ledger.plans(job.key, status="open") if one.id != job.run.approve]
    there = f"Waiting: {', '.join(waiting)}." if waiting else "No plan of this feed waits."
    if plan is None:
        raise SettingsError(f"There is no plan {job.run.approve!r}. {there}")
    if plan.key != job.key:
        raise SettingsError(
            f"Plan {plan.id} is of feed {plan.key.feed!r} into {plan.key.target}, and this is {job.key.feed!r} into {job.key.target}."
        )
    if plan.status in WHY_NOT:
        day = f"{plan.decided:%Y-%m-%d}" if plan.decided else "an earlier day"
        why = WHY_NOT[plan.status].format(day=day, expires=f"{plan.expires:%Y-%m-%d}")
        raise SettingsError(
            f"Plan {plan.id} {why}. {there} Run `roster plan` to see what would be held now."
        )
    return plan
