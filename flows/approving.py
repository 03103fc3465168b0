"""Sends a plan that a person has approved: exactly its changes, once, out of the archived roster that it came from."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

from connectors.archive import Archive
from connectors.ledger import Ledger
from connectors.ledger.history import Plan
from flows.feeds.targets import SettingsError
from flows.job import Job
from flows.line import not_of_others, ordered, result_of, send
from flows.past import details_of
from flows.plans import expire
from flows.result import Result
from flows.watch import NOBODY, Watch
from transforms.diff import diff
from transforms.guard import Guarded, moved, of_plan, undone

WHY_NOT = {
    "sent": "was sent on {day}. There is nothing left to approve",
    "replaced": "was replaced by a newer one",
    "discarded": "was discarded on {day}",
    "expired": "expired on {expires}",
}


def approved_line(job: Job, ledger: Ledger, archive: Archive, watch: Watch = NOBODY) -> Result:
    """Send the plan that `job.approve` names; under `plan`, say what that would be.

    If the ledger says something else by now of any of its records, nothing is sent, and the result
    says which. Raises `SettingsError` if there is no such plan of this feed, or it cannot be approved any more.
    """
    started = time.monotonic()
    plan = _plan(job, ledger)
    records, known = ledger.planned(plan.id), ledger.known(job.key)
    astray = moved(records, known)
    if astray.height:
        return replace(result_of(job, started, []), moved=astray, plan=plan.id)
    if job.command == "sync" and plan.status == "open":
        ledger.decide(plan.id, "approved", by=job.by, note=job.note, at=datetime.now(UTC))
    difference = watch.stage("compare", diff, archive.standing(plan.run), known)
    changes = not_of_others(of_plan(undone(records, known), difference.changes, job.today), job, ledger)
    changes = ordered(changes, details_of(changes, job, ledger))
    loaded = watch.stage("load", send, Guarded(changes), job, ledger, watch)
    result = result_of(job, started, [difference.findings], guarded=Guarded(changes), loaded=loaded)
    result = replace(result, approved=plan.id)
    if job.command == "sync" and not (result.error or result.total("failed") or result.total("waiting")):
        ledger.decide(plan.id, "sent", by=job.by, note=job.note, at=datetime.now(UTC))
    return result


def _plan(job: Job, ledger: Ledger) -> Plan:
    expire(job, ledger)
    plan = ledger.plan(job.approve or "")
    waiting = [one.id for one in ledger.plans(job.key, status="open") if one.id != job.approve]
    there = f"Waiting: {', '.join(waiting)}." if waiting else "No plan of this feed waits."
    if plan is None:
        raise SettingsError(f"There is no plan {job.approve!r}. {there}")
    if plan.key != job.key:
        raise SettingsError(
            f"Plan {plan.id} is of feed {plan.key.feed!r} into {plan.key.target}, and this is {job.key.feed!r} into {job.key.target}."
        )
    if plan.status in WHY_NOT:
        day = f"{plan.decided:%Y-%m-%d}" if plan.decided else "an earlier day"
        why = WHY_NOT[plan.status].format(day=day, expires=f"{plan.expires:%Y-%m-%d}")
        raise SettingsError(f"Plan {plan.id} {why}. {there} Run `roster plan` to see what would be held now.")
    return plan
