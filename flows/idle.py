"""Feeds that have sent the same records as this one, and no longer run: this one, as it was called before, or a feed that was given up.

What a feed has sent stays as long as another one claims it. One that never runs again would claim it for ever.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.history import Run
from flows.job import Job
from transforms.changes import ACTIVE, IN_TARGET, Changes
from transforms.guard.past import LEFT_BEHIND
from transforms.guard.stops import VANISHED

# A feed that has not run for so long, and twice as long as it ever has between two of its last runs, is taken to be given up.
QUIET = timedelta(days=14)
LAST = 10


def left_behind(changes: Changes, job: Job, ledger: Ledger) -> pl.DataFrame:
    """The records that vanished from this feed, and that of all others only feeds have sent that no longer run (columns of `LEFT_BEHIND`).

    Such a feed has sent most of what this one has of an entity: a few records in common are no sign of a new name.
    """
    claims = [_claims(name, part.of(*VANISHED)["sourcedId"], job, ledger) for name, part in changes.items()]  # fmt: skip
    found = pl.concat([pl.DataFrame(schema=LEFT_BEHIND).drop("last", "now"), *claims])
    feeds = found["feed"].unique(maintain_order=True).to_list()
    last = {feed: _idle_since(FeedKey(job.key.target, feed), job, ledger) for feed in feeds}
    said = (
        pl.col("feed").replace_strict(last, default=None, return_dtype=pl.String) if last else pl.lit(None, pl.String)
    )
    found = found.with_columns(last=said, now=pl.lit(job.run.feed))
    living = found.filter(pl.col("last").is_null()).select("entity", "sourcedId")
    idle = found.drop_nulls("last").join(living, on=["entity", "sourcedId"], how="anti", maintain_order="left")
    same = [(feed, name) for feed, name in idle.select("feed", "entity").unique(maintain_order=True).iter_rows() if _has_most(feed, name, job, ledger)]  # fmt: skip
    pairs = pl.DataFrame(same, schema={"feed": pl.String, "entity": pl.String}, orient="row")
    return idle.join(pairs, on=["feed", "entity"], how="semi", maintain_order="left").select(*LEFT_BEHIND)


def _claims(name: str, gone: pl.Series, job: Job, ledger: Ledger) -> pl.DataFrame:
    rows = ledger.claims(job.key, name, gone, (ACTIVE,)) if gone.len() else pl.DataFrame(schema={"sourcedId": pl.String, "feed": pl.String})  # fmt: skip
    return rows.select(entity=pl.lit(name), sourcedId="sourcedId", feed="feed")


def _has_most(feed: str, name: str, job: Job, ledger: Ledger) -> bool:
    """Whether another feed has at least half of this one's records of an entity."""
    ours, theirs = (ledger.known(key).get(name) for key in (job.key, FeedKey(job.key.target, feed)))
    if ours is None or theirs is None:
        return False
    held = [frame.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"] for frame in (ours, theirs)]
    return 2 * held[0].is_in(held[1].implode()).sum() >= held[0].len()


def _idle_since(other: FeedKey, job: Job, ledger: Ledger) -> str | None:
    """When a feed last ran, if it no longer does: for much longer than it is used to, or since this one began to read its drops."""
    runs = [run for run in ledger.runs(other) if run.command == "sync"]
    ours = [run for run in ledger.runs(job.key) if run.command == "sync" and run.id != job.run.id]
    if not runs:
        return "never"
    said = f"on {runs[0].started:%Y-%m-%d}"
    if ours and runs[0].started < ours[-1].started and _source(runs[0]) in map(_source, ours):
        return said
    return said if datetime.now(UTC) - runs[0].started > max(QUIET, 2 * _longest(runs[:LAST])) else None


def _source(run: Run) -> str:
    """What a run's drop is called, whatever its day."""
    # That module asks for the runs before, which ask for this one.
    from flows.rest_source import CHANGES

    return re.sub(r"\d", "", run.drop.partition(CHANGES)[0])


def _longest(runs: list[Run]) -> timedelta:
    """The longest time between two runs, which are given the newest first."""
    return max((later.started - earlier.started for later, earlier in pairwise(runs)), default=timedelta())
