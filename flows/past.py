"""What the guard is told: asked of the ledger, and of the target, only where the changes give it something to judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl

from connectors.ledger import Ledger
from connectors.ledger.history import Run
from connectors.oneroster.collections import COLLECTIONS
from flows.job import Job
from transforms.ancestry import ids_in
from transforms.changes import ACTION, Changes
from transforms.checks.references import Known
from transforms.guard import PLANNED_COLUMNS, Past, Rejections
from transforms.guard.past import CHILDREN, no_children, no_totals
from transforms.guard.recycled import people_in_doubt
from transforms.schemas import ENTITIES
from transforms.vanishing import Details

WEEK = timedelta(days=7)
SAMPLED = ("orgs", "users", "courses", "classes")
COUNTED = "counted"
# Notes of runs that were held altogether, and of those that let only new records through.
STOPPED, ADDS_ONLY = "stopped", "adds only"


def details_of(changes: Changes, job: Job, ledger: Ledger) -> Details:
    """What the ledger keeps of the records that vanished, and of the sessions and classes by which some have ended."""
    gone = {name: part.removals["sourcedId"] for name, part in changes.items() if part.removals.height}
    if not gone:
        return {}
    details = {name: ledger.details(job.key, name, ids) for name, ids in gone.items()}
    if gone.keys() & {"classes", "enrollments"} or "academicSessions" in gone:
        details["academicSessions"] = ledger.details(job.key, "academicSessions")
    if "enrollments" in gone:
        details["classes"] = ledger.details(job.key, "classes")
    return details


def past_of(changes: Changes, rejections: Mapping[str, Rejections], known: Known, job: Job, ledger: Ledger) -> Past:
    """Ask for what these changes need; a night on which nothing changed asks for the runs before it, and no more."""
    quiet = not any(part.upserts.height or part.removals.height for part in changes.values())
    runs = [run for run in ledger.runs(job.key) if run.command == "sync" and run.id != job.run and run.ended]
    newest = None if job.older else next((run.drop_date for run in runs if run.drop_date and loaded(run)), None)
    if quiet:
        return Past()
    there = any(frame.height for frame in known.values())
    return Past(
        totals=ledger.totals(job.key) if there else no_totals(),
        week=_week(job, ledger, there=there),
        children=children_of(changes, job, ledger),
        rejections=rejections,
        newest=newest,
        dated=job.dated,
        today=job.today,
        strangers=0 if there else _strangers(changes, job, ledger),
        blackout=job.blackout,
        adds_only=job.adds_only,
        ask_first=job.ask_first,
        names=ledger.details(job.key, "users", people_in_doubt(changes)).select("sourcedId", name="label"),
    )


def newest_of(runs: list[Run]) -> date | None:
    """Of which day the drop is that was loaded last (of `runs`, the newest first); the day it was loaded, if it says none."""
    return next((day_of(run) for run in runs if run.command == "sync" and run.ended and loaded(run)), None)


def day_of(run: Run) -> date:
    """Of which day a run's roster is: the day of its drop, else the one on which it began, by the clock of this machine."""
    return run.drop_date or run.started.astimezone().date()


def loaded(run: Run) -> bool:
    """Whether a run put its drop into the target, or as much of it as would go."""
    return run.status != "failed" if run.approved else run.status not in ("refused", "") and run.note != STOPPED


def in_arrears(runs: list[Run]) -> bool:
    """Whether the last run of a drop (of `runs`, the newest first) was killed, or left something that it should have sent."""
    last = next((run for run in runs if run.command == "sync" and not run.approved and run.status != "refused"), None)
    if last is None:
        return False
    return (
        last.status in ("failed", "")
        or last.note == ADDS_ONLY
        or any(counts.get("waiting", 0) for counts in last.counts.values())
    )


def decided_on(job: Job, ledger: Ledger) -> pl.DataFrame:
    """What the plans of a feed hold, or held until a person decided otherwise (`entity`, `sourcedId`, `fingerprint`).

    What a plan held that was replaced is in the one that took its place, or nobody has decided on it.
    """
    plans = [ledger.planned(plan.id) for plan in ledger.plans(job.key) if plan.status not in ("sent", "replaced")]
    return pl.concat([pl.DataFrame(schema=PLANNED_COLUMNS), *plans]).select("entity", "sourcedId", "fingerprint")


def _week(job: Job, ledger: Ledger, *, there: bool) -> dict[str, int] | None:
    """How many records of each entity were let go in the last seven days; None if the ledger knows of no run at all.

    What was removed, its rows say, also of runs that were killed. What was kept by the feed's policy, runs tell: rows do
    not say why they were kept, and a killed run kept nothing yet. What a person has let go is decided; the sum is
    there for what nobody saw.
    """
    runs = [run for run in ledger.runs(job.key) if run.command == "sync" and run.id != job.run]
    if there and not runs:
        return None
    since = datetime.now(UTC) - WEEK
    let_go = Counter(ledger.left_since(job.key, since, but=job.run))
    for run in runs:
        if run.started >= since and not run.approved and not run.raised:
            let_go.update({name: _kept(counts) for name, counts in run.counts.items()})
    return dict(let_go)


def _kept(counts: Mapping[str, int]) -> int:
    """How much of what a run let go it kept, by the feed's policy."""
    return max(0, counts.get(COUNTED, 0) - counts.get("deleted", 0) - counts.get("disabled", 0))


def children_of(changes: Changes, job: Job, ledger: Ledger, sent_by: Collection[str] | None = None) -> pl.DataFrame:
    """The active records that name one that is to be deleted: all, or those that some runs have sent."""
    found = [no_children()]
    for name, part in changes.items():
        going = part.of("delete")["sourcedId"]
        for child in _referring(name) if going.len() else ():
            details = ledger.details(job.key, child).filter(pl.col("status") == "active")
            if sent_by is not None:
                details = details.filter(pl.col("run").is_in(list(sent_by)))
            named = details.select("sourcedId", parent=ids_in(pl.col("parents"), name)).explode("parent")
            named = named.filter(pl.col("parent").is_in(going.implode()))
            found.append(named.select(entity=pl.lit(child), sourcedId="sourcedId", of=pl.lit(name), parent="parent"))
    return pl.concat(found).select(*CHILDREN)


def _referring(name: str) -> list[str]:
    """The entities whose records may name one of this entity; demographics are a part of their user, and follow it."""
    return [
        other.name
        for other in ENTITIES.values()
        if not other.folds_into and other.name in COLLECTIONS and other.name != "demographics"
        if any(column.refers == name for column in other.references)
    ]


def _strangers(changes: Changes, job: Job, ledger: Ledger) -> int:
    """Look up a few of the drop's ids in a target of which this feed's ledger knows nothing."""
    if job.first_run or ledger.intended(job.key) or job.nothing_there:
        return 0
    others = ledger.of_others(job.key, SAMPLED)
    wanted = {}
    for name in SAMPLED:
        part = changes.get(name)
        if part is None:
            continue
        new = part.upserts.filter(pl.col(ACTION) == "create")["sourcedId"]
        if name in others:
            new = new.filter(~new.is_in(others[name].implode()))
        wanted[name] = (
            list(dict.fromkeys(new[place] for place in (0, new.len() // 2, new.len() - 1))) if new.len() else []
        )
    if not any(wanted.values()):
        return 0
    from flows.loading import count_active

    return count_active(wanted, job)
