"""What a run knows of the feeds that share records with its own (`transforms/ownership.py`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

import polars as pl

from connectors.ledger import FeedKey, Ledger, Run
from connectors.roster_archive import Archive
from flows.job import Job
from flows.rest_source import CHANGES
from flows.run_history import is_quiet
from transforms.changes import IN_TARGET
from transforms.checks.references import LedgerFrames
from transforms.findings import Findings, file_finding, merge_findings
from transforms.fingerprint import fingerprints
from transforms.ownership import (
    ITEMS,
    SHARING,
    TURN,
    YIELDS,
    FeedOrder,
    Share,
    SharedRecords,
    is_named,
    shares_of,
    with_items,
)
from transforms.records import RosterState
from transforms.schemas import ENTITIES, LIFECYCLE

# Differs from the bit that marks unfinished records (`mark_unfinished`).
OUTDATED = 2


def feed_order(job: Job, ledger: Ledger) -> FeedOrder:
    """Return how the feeds of the target share records, as this feed sees it.

    A feed whose drops this one reads since is this one under an earlier name only if both say the
    same of most people: different drops may have one name.
    """
    others = ledger.other_feeds(job.key)
    replaced, idle = set(), set()
    for one in others:
        runs = _syncs(one, ledger)
        if _took_over(runs, job, ledger) and has_most(one.feed, "users", job, ledger, same=True):
            replaced.add(one.feed)
        elif (not runs or is_quiet(runs)) and has_most(one.feed, "users", job, ledger):
            idle.add(one.feed)
    return FeedOrder(
        job.run.feed,
        job.load.owners,
        frozenset(replaced),
        frozenset(idle),
        alone=not others,
    )


def unknown_owners(job: Job, ledger: Ledger) -> Findings:
    """Report names in `[shared] owner` of which the target has no feed: each may be misspelled."""
    feeds = [job.key, *ledger.other_feeds(job.key)] if job.load.owners else []
    unknown = [
        name for name in job.load.owners if not any(is_named(one.feed, name) for one in feeds)
    ]
    return merge_findings(file_finding("owner_unknown", "", f"owner = {name}") for name in unknown)


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
    """Return the records of the ledger, so that those to be sent again differ from any roster.

    What belongs to this feed may have changed because of other feeds alone. If such a record need
    not be sent, a sync notes in the ledger how it is shared now. `archive` has the roster of this
    run, for records that the drop does not have because it is no full snapshot; without it, they
    are left out.
    """
    if not ledger.other_feeds(job.key):
        return known
    order = feed_order(job, ledger)
    marked = {}
    for name, frame in known.items():
        rows = ledger.shares(job.key, name)
        roster = _roster_of(name, standing, job, archive) if rows.height else None
        if roster is None:
            continue
        shares = shares_of(roster, SharedRecords.of(name, rows, order))
        noted = {one: share for one, share in shares.items() if share.noted and not share.outdated}
        if noted and job.run.command == "sync":
            ledger.note_shares(job.key, name, _notes(name, roster, frame, noted))
        outdated = [one for one, share in shares.items() if share.outdated]
        if outdated:
            marked[name] = with_other_fingerprints(frame, outdated, _mark_outdated)
    return {**known, **marked}


def _notes(
    name: str, roster: pl.DataFrame, known: pl.DataFrame, noted: Mapping[str, Share]
) -> pl.DataFrame:
    """Return how records are shared now: `sourcedId`, and `SHARING`.

    A record that has changed is left out: it is sent, or held as it is.
    """
    rows = with_items(roster.filter(pl.col("sourcedId").is_in(list(noted))))
    now = _marked(name, rows).with_columns(
        rows[ITEMS],
        pl.Series(TURN, [noted[one].turn for one in rows["sourcedId"]], dtype=pl.Int64),
        pl.Series(YIELDS, [noted[one].noted for one in rows["sourcedId"]], dtype=pl.String),
    )
    same = now.join(known, on=["sourcedId", "fingerprint"], how="semi")
    return same.select("sourcedId", *SHARING)


def taken_over(known: LedgerFrames, marked: LedgerFrames) -> dict[str, pl.Series]:
    """Return the ids that `mark_shared_records` has marked, by entity."""
    return {
        name: frame.filter(frame["fingerprint"] != known[name]["fingerprint"])["sourcedId"]
        for name, frame in marked.items()
        if frame is not known[name]
    }


def _roster_of(
    name: str, standing: RosterState, job: Job, archive: Archive | None
) -> pl.DataFrame | None:
    """Return the accepted records of an entity, with those that the drop does not repeat."""
    if archive is None or (name in standing and standing[name].mode == "bulk"):
        return standing[name].accepted if name in standing else None
    return archive.frame(job.run.id, name)


def with_other_fingerprints(
    frame: pl.DataFrame, ids: Collection[str], mark: Callable[[pl.Expr], pl.Expr]
) -> pl.DataFrame:
    """Give the records with these ids a fingerprint that no roster has."""
    fingerprint = pl.col("fingerprint")
    chosen = pl.col("sourcedId").is_in(list(ids))
    return frame.with_columns(
        pl.when(chosen).then(mark(fingerprint)).otherwise(fingerprint).alias("fingerprint")
    )


def _mark_outdated(fingerprint: pl.Expr) -> pl.Expr:
    """Return another fingerprint, also than the one of a record that a killed run may have sent."""
    return fingerprint.xor(pl.lit(OUTDATED, pl.Int64))


def has_most(feed: str, name: str, job: Job, ledger: Ledger, *, same: bool = False) -> bool:
    """Whether another feed has at least half of this feed's records of an entity.

    Only those count of which it says the `same`, if that is set. Before this feed's first load, its
    records are those of the roster that it is about to load.
    """
    own = _in_target(ledger.known(job.key), name)
    if not own.height:
        archive = Archive(job.home / "rosters", job.key)
        roster = archive.frame(job.run.id, name) if job.run.id in archive.runs() else None
        own = own if roster is None else _marked(name, roster)
    other = _in_target(ledger.known(FeedKey(job.key.target, feed)), name)
    keys = ["sourcedId", "fingerprint"] if same else ["sourcedId"]
    return 0 < own.height <= 2 * own.join(other, on=keys, how="semi").height


def _in_target(known: LedgerFrames, name: str) -> pl.DataFrame:
    if name not in known:
        return pl.DataFrame(schema={"sourcedId": pl.String, "fingerprint": pl.Int64})
    there = known[name].filter(pl.col("status").is_in(IN_TARGET))
    return there.select("sourcedId", "fingerprint")


def _marked(name: str, roster: pl.DataFrame) -> pl.DataFrame:
    """Return the records of a roster with their fingerprints."""
    columns = [one for one in roster.columns if not one.startswith("#") and one not in LIFECYCLE]
    marks = fingerprints(ENTITIES[name], roster.select(columns))
    return roster.select("sourcedId", marks.alias("fingerprint"))


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
