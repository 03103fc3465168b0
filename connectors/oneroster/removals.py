"""Deleting the records that vanished, in the order given: children before parents."""

from __future__ import annotations

import polars as pl

from connectors.oneroster.batches import slices
from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.job import Job
from connectors.oneroster.loaded import Result
from connectors.oneroster.sending import remove
from connectors.oneroster.workers import spread
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL, EntityChanges
from transforms.checks.chains import parent_column

TEXTS = ("sourcedId", SCHOOL, PARENTS, LABEL, FIELDS)
NONE_ACKNOWLEDGED = pl.DataFrame(schema={FINGERPRINT: pl.Int64} | dict.fromkeys(TEXTS, pl.String))


async def send_removals(job: Job, changes: EntityChanges) -> None:
    """Delete what is to be deleted of one entity; the ledger learns of it batch by batch."""
    total = changes.upserts.height + (removals := changes.of("delete")).height
    for batch in slices(removals, job.batch_size):
        ids = batch["sourcedId"].to_list()
        if job.halted:
            job.abandon(changes.entity, ids)
        else:
            await _batch(job, changes.entity, ids)
        job.progress(changes.entity, job.tally.done(changes.entity), total)


async def _batch(job: Job, entity: str, ids: list[str]) -> None:
    collection = COLLECTIONS[entity]
    # In a tree the next record may be the parent of the one under way.
    workers = 1 if parent_column(collection.entity) else job.target.concurrency

    async def work(sourced_id: str) -> Result:
        return await remove(job.target, collection, sourced_id)

    results, job.error = await spread(ids, workers, work)
    deleted = [ids[place] for place, result in sorted(results.items()) if result.term == "deleted"]
    job.ledger.record(job.key, entity, NONE_ACKNOWLEDGED, deleted, [], job.run)
    for place, result in results.items():
        job.tally.add(entity, ids[place], result.term, result.detail)
    job.abandon(entity, [sourced_id for place, sourced_id in enumerate(ids) if place not in results])
