"""What a run knows of the feeds that share records with its own (`transforms/ownership.py`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import polars as pl

from connectors.ledger import FeedKey, Ledger, Run
from connectors.roster_archive import Archive
from flows.job import Job
from flows.rest_source import CHANGES
from flows.run_history import is_quiet
from transforms.checks.references import LedgerFrames, in_target
from transforms.ownership import FeedOrder, SharedRecords, shares_of
from transforms.records import RosterState


def feed_order(job: Job, ledger: Ledger) -> FeedOrder:
    """Return how the feeds of the target share records, as this feed sees it."""
    others = ledger.other_feeds(job.key)
    idle = {
        one
        for one in others
        if idle_since(one, job, ledger) and has_most(one.feed, "users", job, ledger)
    }
    replaced = {one for one in idle if _took_over(_syncs(one, ledger), job, ledger)}
    return FeedOrder(
        job.run.feed,
        job.load.owners,
        frozenset(one.feed for one in replaced),
        frozenset(one.feed for one in idle - replaced),
        alone=not others,
    )


def shared_records(entity: str, ids: pl.Series, job: Job, ledger: Ledger) -> SharedRecords | None:
    """Return what all feeds have of some records of an entity; None if no other feed has run."""
    if not ledger.other_feeds(job.key):
        return None
    rows = ledger.shares(job.key, entity, ids)
    return SharedRecords.of(entity, rows, feed_order(job, ledger))


def mark_shared_records(
    standing: RosterState,
    known: LedgerFrames,
    job: Job,
    ledger: Ledger,
    archive: Archive | None = None,
) -> LedgerFrames:
    """Return the records of the ledger, so that those whose share changed differ from any roster.

    What belongs to this feed may have changed because of other feeds alone. Such records are sent
    again. `archive` has the roster of this run, for records that the drop does not have because it
    is no full snapshot; without it, they are left out.
    """
    if not ledger.other_feeds(job.key):
        return known
    order = feed_order(job, ledger)
    marked = {}
    for name, frame in known.items():
        rows = ledger.shares(job.key, name)
        roster = _roster_of(name, standing, job, archive) if rows.height else None
        if roster is not None:
            shares = shares_of(roster, SharedRecords.of(name, rows, order))
            outdated = [one for one, share in shares.items() if share.outdated]
            if outdated:
                marked[name] = with_other_fingerprints(frame, outdated)
    return {**known, **marked}


def _roster_of(
    name: str, standing: RosterState, job: Job, archive: Archive | None
) -> pl.DataFrame | None:
    """Return the accepted records of an entity, with those that the drop does not repeat."""
    if archive is None or (name in standing and standing[name].mode == "bulk"):
        return standing[name].accepted if name in standing else None
    return archive.frame(job.run.id, name)


def with_other_fingerprints(frame: pl.DataFrame, ids: Collection[str]) -> pl.DataFrame:
    """Give the records with these ids a fingerprint that no roster has."""
    from connectors.oneroster.load_state import mark_unfinished

    fingerprint = pl.col("fingerprint")
    return frame.with_columns(
        pl.when(pl.col("sourcedId").is_in(list(ids)))
        .then(mark_unfinished(fingerprint))
        .otherwise(fingerprint)
        .alias("fingerprint")
    )


def has_most(feed: str, name: str, job: Job, ledger: Ledger) -> bool:
    """Whether another feed has at least half of this feed's records of an entity.

    Before this feed's first load, these are the records of the roster that it is about to load.
    """
    own = in_target(ledger.known(job.key), name)
    if not own.len():
        archive = Archive(job.home / "rosters", job.key)
        roster = archive.frame(job.run.id, name) if job.run.id in archive.runs() else None
        own = own if roster is None else roster["sourcedId"]
    other = in_target(ledger.known(FeedKey(job.key.target, feed)), name)
    return 0 < own.len() <= 2 * own.is_in(other.implode()).sum()


def idle_since(other: FeedKey, job: Job, ledger: Ledger) -> str | None:
    """Return when another feed last ran, if it no longer runs; else None.

    It no longer runs if this feed reads the same drops since, or if its last run is much longer ago
    than usual.
    """
    runs = _syncs(other, ledger)
    if not runs:
        return "never"
    idle = is_quiet(runs) or _took_over(runs, job, ledger)
    return f"on {runs[0].started:%Y-%m-%d}" if idle else None


def _took_over(runs: Sequence[Run], job: Job, ledger: Ledger) -> bool:
    """Whether this feed reads the drops of a feed with these `runs`, none since this one's first.

    Before this feed's first load, the run under way counts.
    """
    own = _syncs(job.key, ledger)
    ours = [run for run in own if run.id != job.run.id] or own
    if not (runs and ours):
        return False
    return runs[0].started < ours[-1].started and _drop_name(runs[0]) in map(_drop_name, ours)


def _syncs(key: FeedKey, ledger: Ledger) -> list[Run]:
    """Return the syncs of a feed, the newest first."""
    return [run for run in ledger.runs(key) if run.command == "sync"]


def _drop_name(run: Run) -> str:
    """Return the name of a run's drop without digits, so that its date does not matter."""
    return re.sub(r"\d", "", run.drop.partition(CHANGES)[0])
