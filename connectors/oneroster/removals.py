"""What is done with the records that vanished: deleted, disabled or ended, children before parents."""

from __future__ import annotations

import polars as pl

from connectors.oneroster.batches import slices
from connectors.oneroster.collections import COLLECTIONS, Collection
from connectors.oneroster.job import Job
from connectors.oneroster.loaded import Result
from connectors.oneroster.sending import disable, end, remove
from connectors.oneroster.workers import spread
from transforms.changes import ACTION, ENDS, FIELDS, FINGERPRINT, LABEL, PARENTS, REMOVALS, SCHOOL, EntityChanges
from transforms.checks.chains import parent_column

TEXTS = ("sourcedId", SCHOOL, PARENTS, LABEL, FIELDS, ENDS)
NONE_ACKNOWLEDGED = pl.DataFrame(schema={FINGERPRINT: pl.Int64} | dict.fromkeys(TEXTS, pl.String))
Removal = tuple[str, str, str]


async def send_removals(job: Job, changes: EntityChanges) -> None:
    """Send the removals of one entity; the ledger learns of them batch by batch."""
    removals = changes.of(*REMOVALS)
    if ENDS not in removals.columns:
        removals = removals.with_columns(pl.lit("").alias(ENDS))
    for batch in slices(removals.select("sourcedId", ACTION, ENDS), job.batch_size):
        if job.halted:
            job.abandon(changes.entity, batch["sourcedId"])
        else:
            await _batch(job, changes.entity, batch.rows())
        job.progress(changes.entity, job.tally.done(changes.entity), changes.due)


async def _batch(job: Job, entity: str, removals: list[Removal]) -> None:
    collection = COLLECTIONS[entity]
    # In a tree the next record may be the parent of the one under way.
    workers = 1 if parent_column(collection.entity) else job.target.concurrency

    async def work(removal: Removal) -> Result:
        return await _removed(job, collection, *removal)

    results, job.error = await spread(removals, workers, work, job.stop)
    left: dict[str, list[str]] = {}
    for place, result in sorted(results.items()):
        sourced_id, action, _ = removals[place]
        term, status = REMOVALS[action]
        if result.term == term:
            left.setdefault(status, []).append(sourced_id)
        job.tally.add(entity, sourced_id, result.term, result.detail)
    job.ledger.record(job.key, entity, NONE_ACKNOWLEDGED, left, [], job.run)
    job.abandon(entity, [sourced_id for place, (sourced_id, _, _) in enumerate(removals) if place not in results])


async def _removed(job: Job, collection: Collection, sourced_id: str, action: str, day: str) -> Result:
    match action:
        case "disable":
            return await disable(job.target, collection, sourced_id)
        case "end":
            return await end(job.target, collection, sourced_id, day)
    return await remove(job.target, collection, sourced_id)
