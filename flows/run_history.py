"""What the earlier runs of a feed say: of which day its newest roster is, whether something was left unsent, what people decided."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

import polars as pl

from connectors.ledger import Ledger
from connectors.ledger.history import PENDING, Run
from flows.job import Job
from flows.result import ADDS_ONLY, STOPPED
from transforms.guard import PLANNED_COLUMNS


def newest_of(runs: list[Run]) -> date | None:
    """Of which day the drop is that was loaded last (of `runs`, the newest first); the day it was loaded, if it says none."""
    return next(
        (day_of(run) for run in runs if run.command == "sync" and run.ended and loaded(run)), None
    )


def day_of(run: Run) -> date:
    """Of which day a run's roster is: the day of its drop, else the one on which it began, by the clock of this machine."""
    return run.drop_date or run.started.astimezone().date()


def loaded(run: Run) -> bool:
    """Whether a run put its drop into the target, or as much of it as would go."""
    return (
        run.status != "failed"
        if run.approved
        else run.status not in ("refused", "") and run.note != STOPPED
    )


def in_arrears(runs: list[Run]) -> bool:
    """Whether the last run of a drop (of `runs`, the newest first) was killed, or left something that it should have sent."""
    last = next(
        (
            run
            for run in runs
            if run.command == "sync" and not run.approved and run.status != "refused"
        ),
        None,
    )
    if last is None:
        return False
    return (
        last.status in ("failed", "")
        or last.note == ADDS_ONLY
        # What is held may also be somebody else's, and in no plan.
        or any(counts.get("waiting", 0) or counts.get("held", 0) for counts in last.counts.values())
    )


def decided_on(job: Job, ledger: Ledger) -> pl.DataFrame:
    """What the plans of a feed hold, or held until a person decided otherwise (`entity`, `sourcedId`, `fingerprint`).

    What a plan held that was replaced is in the one that took its place, or nobody has decided on it. A full snapshot that came
    since a decision has asked again: what it could not send is late, and no one has decided on that.
    """
    return _planned(job, ledger, PENDING).vstack(turned_down(job, ledger))


def turned_down(job: Job, ledger: Ledger) -> pl.DataFrame:
    """What people have decided not to send, or let expire, since the last full snapshot (as in `decided_on`)."""
    since = next((run.started for run in ledger.runs(job.key) if _said_all(run)), None)
    return _planned(job, ledger, ("discarded", "expired"), since)


def _planned(
    job: Job, ledger: Ledger, statuses: Collection[str], since: datetime | None = None
) -> pl.DataFrame:
    plans = [
        plan
        for plan in ledger.plans(job.key)
        if plan.status in statuses and (since is None or plan.made > since)
    ]
    rows = pl.concat(
        [pl.DataFrame(schema=PLANNED_COLUMNS), *(ledger.planned(plan.id) for plan in plans)]
    )
    return rows.select("entity", "sourcedId", "fingerprint")


def _said_all(run: Run) -> bool:
    """Whether a run that came to its end accepted a full snapshot."""
    return run.command == "sync" and not run.approved and bool(run.content) and not run.note
