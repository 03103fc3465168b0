"""Steps 7 and 8 of the pipeline: send what the guard lets through, or count what would be sent."""

from __future__ import annotations

import polars as pl

from connectors.ledger import Ledger
from connectors.oneroster.outcomes import LoadResult
from flows.job import Job
from flows.watch import Watch
from transforms.changes import ACTION, ACTIVE, KEPT, REMOVALS, Changes, Counts, EntityChanges
from transforms.guard import GuardResult


def load(guarded: GuardResult, job: Job, ledger: Ledger, watch: Watch) -> LoadResult:
    """Send the changes, rehearse them, or count what would be sent."""
    if job.run.command != "sync":
        return LoadResult(
            {name: _expected_counts(entity) for name, entity in guarded.changes.items()}
        )
    if guarded.held and job.guard.all_or_nothing:
        return LoadResult(
            {name: {"waiting": entity.due} for name, entity in guarded.changes.items()}
        )
    loaded = _send(guarded.changes, job, ledger, watch)
    # Noted last. If a run is killed, the next one finds the missing records again, and the guard
    # sees all of them.
    _note_without_requests(guarded.changes, job, ledger)
    return loaded


def _send(changes: Changes, job: Job, ledger: Ledger, watch: Watch) -> LoadResult:
    if not any(entity.due for entity in changes.values()):
        return LoadResult({})
    # The client takes a while to import, and most nights of most feeds send nothing.
    if job.rehearsal:
        from flows.rehearse import rehearse

        return rehearse(changes, job, ledger)
    from flows.send import send_changes

    return send_changes(changes, job, ledger, watch)


def _note_without_requests(changes: Changes, job: Job, ledger: Ledger) -> None:
    """Record in the ledger what needs no request.

    These are missing records that are kept, and records that are back in the drop and unchanged in
    the target.
    """
    for name, part in changes.items():
        for status, ids in ((KEPT, part.of("keep", "stay")["sourcedId"]), (ACTIVE, part.returned)):
            if ids.len():
                ledger.mark(job.key, name, status, ids.to_list(), job.run.id)


def _expected_counts(entity: EntityChanges) -> Counts:
    updates = entity.upserts.filter(pl.col(ACTION) == "update").height
    counts: Counts = {"created": entity.upserts.height - updates, "updated": updates}
    for action, (term, _) in REMOVALS.items():
        counts[term] = counts.get(term, 0) + entity.of(action).height
    return counts
