"""What earlier runs of a feed tell: its newest roster, unsent records, and people's decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl

from connectors.ledger import Ledger
from connectors.ledger.history import PENDING, Run
from flows.job import Job
from flows.result import ADDS_ONLY, RENAMED, REPAIRED, STOPPED
from transforms.guard import PLANNED_COLUMNS

# A feed no longer runs if its last run is so long ago, and twice as long as the longest time
# between two of its last runs.
QUIET = timedelta(days=14)
LAST = 10


def newest_roster_day(runs: list[Run]) -> date | None:
    """Return the day of the roster that was loaded last. `runs` has the newest first."""
    return next(
        (day_of(run) for run in runs if run.command == "sync" and run.ended and has_loaded(run)),
        None,
    )


def day_of(run: Run) -> date:
    """Return the day of a run's roster: the date of its drop, or the local day of the run."""
    return run.drop_date or run.started.astimezone().date()


def has_loaded(run: Run) -> bool:
    """Whether a run loaded its drop, apart from single records that were held or failed.

    A repair has no drop: it sends again what an earlier run loaded.
    """
    return (
        run.status != "failed"
        if run.approved
        else run.status not in ("refused", "") and run.note not in (STOPPED, REPAIRED)
    )


def has_unsent_records(runs: list[Run]) -> bool:
    """Whether the last run of a drop, or a repair since then, was killed or left records unsent.

    `runs` has the newest first. A repair sends nothing but what differs in the target, so it does
    not finish what the run before it began.
    """
    for run in runs:
        if run.command != "sync" or run.approved or run.status == "refused":
            continue
        if _left_unsent(run):
            return True
        if run.note != REPAIRED:
            return False
    return False


def _left_unsent(run: Run) -> bool:
    return (
        run.status in ("failed", "")
        or run.note in (ADDS_ONLY, RENAMED)
        # Held records may also be foreign, and in no plan.
        or any(counts.get("waiting", 0) or counts.get("held", 0) for counts in run.counts.values())
    )


def decided_on(job: Job, ledger: Ledger) -> pl.DataFrame:
    """Return the records that wait in a plan, or that a person decided not to send.

    Columns: `entity`, `sourcedId`, `fingerprint`. A replaced plan does not count: its records are
    in the plan that replaced it, or nobody decided on them. A full snapshot ends earlier decisions:
    what it could not send is unsent, and nobody has decided on it yet.
    """
    return _records_of_plans(job, ledger, PENDING).vstack(records_not_to_send(job, ledger))


def records_not_to_send(job: Job, ledger: Ledger) -> pl.DataFrame:
    """Return the records of plans that were discarded or expired since the last full snapshot.

    Columns are those of `decided_on`.
    """
    since = next((run.started for run in ledger.runs(job.key) if _has_full_snapshot(run)), None)
    return _records_of_plans(job, ledger, ("discarded", "expired"), since)


def _records_of_plans(
    job: Job, ledger: Ledger, statuses: Collection[str], since: datetime | None = None
) -> pl.DataFrame:
    plans = [
        ledger.planned(plan.id)
        for plan in ledger.plans(job.key)
        if plan.status in statuses and (since is None or plan.made > since)
    ]
    rows = pl.concat([pl.DataFrame(schema=PLANNED_COLUMNS), *plans])
    return rows.select("entity", "sourcedId", "fingerprint")


def _has_full_snapshot(run: Run) -> bool:
    """Whether a run ended, and accepted a full snapshot. Other runs have a note, or no roster."""
    return run.command == "sync" and not run.approved and bool(run.content) and not run.note


def is_quiet(runs: Sequence[Run]) -> bool:
    """Tell whether a feed with these runs, the newest first, no longer seems to run."""
    synced = [run.started for run in runs if run.command == "sync"]
    if not synced:
        return False
    pauses = [later - earlier for later, earlier in pairwise(synced[:LAST])]
    return datetime.now(UTC) - synced[0] > max(QUIET, 2 * max(pauses, default=timedelta()))
