"""What is done with the records that vanished: deleted, disabled or ended, children before parents."""

from __future__ import annotations

import polars as pl

from connectors.oneroster.batch import is_settled
from connectors.oneroster.batches import named, slices
from connectors.oneroster.errands import Action, Errand
from connectors.oneroster.job import Job
from transforms.changes import ACTION, ENDS, FIELDS, FINGERPRINT, LABEL, PARENTS, REMOVALS, SCHOOL, EntityChanges
from transforms.checks.chains import parent_column
from transforms.schemas import ENTITIES

TEXTS = ("sourcedId", SCHOOL, PARENTS, LABEL, FIELDS, ENDS)
NONE_ACKNOWLEDGED = pl.DataFrame(schema={FINGERPRINT: pl.Int64} | dict.fromkeys(TEXTS, pl.String))
Removal = tuple[str, Action, str]


async def send_removals(job: Job, changes: EntityChanges) -> None:
    """Send the removals of one entity; the ledger learns of them batch by batch."""
    removals = changes.of(*REMOVALS)
    if ENDS not in removals.columns:
        removals = removals.with_columns(pl.lit("").alias(ENDS))
    parts = slices(removals.select("sourcedId", ACTION, ENDS), job.batch_size)
    for name, batch in named(f"remove {changes.entity}", parts):
        if job.halted:
            job.abandon(changes.entity, batch["sourcedId"])
        else:
            await _batch(job, name, changes.entity, batch.rows())
        job.progress(changes.entity, job.tally.done(changes.entity), changes.due)


async def _batch(job: Job, name: str, entity: str, removals: list[Removal]) -> None:
    # Whoever is killed now leaves word that the records may be gone, although the ledger still has them.
    ids = [sourced_id for sourced_id, _, _ in removals]
    job.ledger.intend(job.key, entity, pl.DataFrame({"sourcedId": ids, FINGERPRINT: [0] * len(ids)}), job.run)
    # In a tree the next record may be the parent of the one under way.
    workers = 1 if parent_column(ENTITIES[entity]) else job.target.concurrency
    errands = (Errand(entity, action, {"sourcedId": one}, day=day) for one, action, day in removals)
    results = await job.perform(name, errands, workers)
    left: dict[str, list[str]] = {}
    gone = set()
    for place, result in sorted(results.items()):
        sourced_id, action, _ = removals[place]
        term, status = REMOVALS[action]
        if result.term == term:
            left.setdefault(status, []).append(sourced_id)
            gone.add(place)
        job.tally.add(entity, sourced_id, result.term, result.detail)
    settled = [
        one for place, one in enumerate(ids) if is_settled(job, entity, one, results.get(place), arrived=place in gone)
    ]
    job.ledger.record(job.key, entity, NONE_ACKNOWLEDGED, left, settled, job.run)
    job.abandon(entity, [sourced_id for place, sourced_id in enumerate(ids) if place not in results])
