"""Sending the records of one entity that are new or changed: parents first, users with agents perhaps twice."""

from __future__ import annotations

import polars as pl

from connectors.oneroster.agents import Agents, agents_of
from connectors.oneroster.batch import Row, sent
from connectors.oneroster.batches import batches, named, slices
from connectors.oneroster.earlier import Earlier
from connectors.oneroster.errands import Errand
from connectors.oneroster.filled import filled
from connectors.oneroster.job import Job
from connectors.oneroster.loaded import Result
from connectors.oneroster.proving import AGENTS
from transforms.changes import ACTION, PARENTS, EntityChanges
from transforms.payload import bodies
from transforms.schemas import ENTITIES


async def send_upserts(job: Job, changes: EntityChanges) -> None:
    """Send what is to be sent of one entity, parents first; users whose agents came later get a second pass."""
    entity = ENTITIES[changes.entity]
    agents = agents_of(job, changes.upserts) if changes.entity == "users" else Agents()
    for name, batch in named(f"load {changes.entity}", batches(entity, changes.upserts, job.batch_size)):
        await _first_pass(job, changes, name, batch, agents)
        _report(job, changes)
    later = changes.upserts.filter(pl.col("sourcedId").is_in(list(agents.later)))
    for name, batch in named("load agents of users", slices(later, job.batch_size)):
        await _second_pass(job, changes, name, batch, agents)
        _report(job, changes)


async def _first_pass(job: Job, changes: EntityChanges, name: str, batch: pl.DataFrame, agents: Agents) -> None:
    ready = _ready(job, changes.entity, batch)
    known = filled(job, changes, ready)
    said = job.earlier.get(changes.entity, Earlier()).said
    partial: set[str] = set()

    def errand(row: Row) -> Errand:
        record = row.body
        if agents.missing(record):
            partial.add(row.sourced_id)
            record = {name: value for name, value in record.items() if name != AGENTS}
        gone, earlier = known.gone(row.sourced_id, row.fields), said.get(row.sourced_id, ())
        return Errand(changes.entity, row.action, record, row.body, earlier, gone, known.partial, row.ended)

    results = await sent(job, name, changes.entity, ready, errand, known, partial)
    actions = ready[ACTION]
    for place, sourced_id in enumerate(ready["sourcedId"]):
        result = results.get(place) or Result("waiting", job.halted)
        if result.moved:
            job.tally.moved.append(sourced_id)
        if result.arrived:
            agents.arrived(sourced_id)
        elif actions[place] != "update" and not job.halted:
            job.blocked.add(f"{changes.entity}:{sourced_id}")
        if result.arrived and sourced_id in partial:
            agents.later[sourced_id] = result.term
        else:
            job.tally.add(changes.entity, sourced_id, result.term, result.detail)


async def _second_pass(job: Job, changes: EntityChanges, name: str, batch: pl.DataFrame, agents: Agents) -> None:
    """Add the agents to users who were sent without; the ledger then holds them as they are in the drop."""
    missing = [agents.missing(body) for body in bodies(ENTITIES[changes.entity], batch)]
    ready = batch.filter(pl.Series([not absent for absent in missing], dtype=pl.Boolean))
    for sourced_id, absent in zip(batch["sourcedId"], missing, strict=True):
        if absent:
            job.tally.add(changes.entity, sourced_id, "waiting", f"its agent users:{absent[0]} is not in the target")

    def errand(row: Row) -> Errand:
        return Errand(changes.entity, "agents", row.body)

    results = await sent(job, name, changes.entity, ready, errand, filled(job, changes, ready))
    for place, sourced_id in enumerate(ready["sourcedId"]):
        result = results.get(place) or Result("waiting", job.halted)
        first = agents.later[sourced_id]
        term = first if result.arrived and first != "unchanged" else result.term
        job.tally.add(changes.entity, sourced_id, term, result.detail)


def _ready(job: Job, entity: str, batch: pl.DataFrame) -> pl.DataFrame:
    """Leave out, and count, the records that wait for a parent."""
    if job.halted or not job.blocked:
        return batch
    causes = [job.waits_for(parents) for parents in batch[PARENTS]]
    for sourced_id, action, cause in zip(batch["sourcedId"], batch[ACTION], causes, strict=True):
        if cause:
            job.tally.add(entity, sourced_id, "waiting", f"{cause} is not in the target")
            if action != "update":
                job.blocked.add(f"{entity}:{sourced_id}")
    return batch.filter(pl.Series([not cause for cause in causes], dtype=pl.Boolean))


def _report(job: Job, changes: EntityChanges) -> None:
    job.progress(changes.entity, job.tally.done(changes.entity), changes.due)
