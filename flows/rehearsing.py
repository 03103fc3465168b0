"""A rehearsal: the whole line, against a copy of the ledger in which every change counts as acknowledged; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from connectors.ledger import Ledger
from connectors.oneroster.loaded import Loaded
from flows.files import private_folder
from flows.job import Job
from flows.ledgers import FILE
from transforms.changes import ACTION, REMOVALS, Changes, Counts, EntityChanges


@contextmanager
def rehearsal(job: Job) -> Iterator[Job]:
    """Give the job as it is rehearsed: with ledger, archive and folders of runs of its own, until the body is over."""
    private_folder(job.state)
    with TemporaryDirectory(dir=job.state, prefix="rehearsal-") as folder:
        own = replace(job, state=Path(folder), ledger="", rehearsal=True, notify=None)
        with Ledger.reading(job.ledger_at) as ledger, Ledger(own.state / FILE) as scratch:
            ledger.copy_into(scratch)
        yield own


def rehearsed(changes: Changes, job: Job, ledger: Ledger) -> Loaded:
    """Record in the copy all that would be sent, as if the target had acknowledged it."""
    return Loaded({name: _acknowledged(part, job, ledger) for name, part in changes.items()})


def _acknowledged(part: EntityChanges, job: Job, ledger: Ledger) -> Counts:
    left = {status: part.of(action)["sourcedId"].to_list() for action, (_, status) in REMOVALS.items()}
    ledger.record(job.key, part.entity, part.upserts, left, [], job.run)
    return would_be(part)


def would_be(part: EntityChanges) -> Counts:
    """Count what would be sent."""
    updates = part.upserts.filter(pl.col(ACTION) == "update").height
    counts: Counts = {"created": part.upserts.height - updates, "updated": updates}
    for action, (term, _) in REMOVALS.items():
        counts[term] = counts.get(term, 0) + part.of(action).height
    return counts
