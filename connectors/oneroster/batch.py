"""One batch of records: its intent is written, it is sent, and what arrived is recorded.

Whoever is killed in between finds the intent, and knows that what the target holds may be ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Collection as Container
from dataclasses import dataclass

import polars as pl

from connectors.oneroster.agents import unfinished
from connectors.oneroster.errands import Action, Errand
from connectors.oneroster.filled import Filled
from connectors.oneroster.job import Job
from connectors.oneroster.loaded import Result
from transforms.changes import ACTION, ENDED_PARTS, ENDS, FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL
from transforms.checks.folding import ENDING
from transforms.payload import Json, bodies, parts_in
from transforms.schemas import ENTITIES, Entity

RECORDED = ("sourcedId", FINGERPRINT, SCHOOL, PARENTS, LABEL, FIELDS, ENDS)
Results = dict[int, Result]


@dataclass(frozen=True, slots=True)
class Row:
    """One record on its way: what is done with it, the columns it fills, all that we have to say of it, and what of it has ended."""

    sourced_id: str
    action: Action
    fields: str
    body: Json
    ended: Json | None = None


async def sent(job: Job, batch: str, entity: str, frame: pl.DataFrame, errand: Callable[[Row], Errand], known: Filled,
               partial: Container[str] = ()) -> Results:  # fmt: skip
    """Run the errand of each row, and give the results by place; none for what was not begun.

    The ids in `partial`, which fills while they are sent, are recorded as unfinished.
    """
    if job.halted or frame.is_empty():
        return {}
    job.ledger.intend(job.key, entity, frame.select("sourcedId", FINGERPRINT), job.run)
    results = await job.perform(batch, map(errand, _rows(ENTITIES[entity], frame)))
    arrived = [place for place, result in sorted(results.items()) if result.arrived]
    # A class that the target did not move is told again every night, until someone sees to it.
    moved = [frame["sourcedId"][place] for place in arrived if results[place].moved]
    fingerprint = pl.when(pl.col("sourcedId").is_in([*partial, *moved])).then(unfinished(pl.col(FINGERPRINT)))
    acknowledged = known.to_record(frame[arrived].select(RECORDED)).with_columns(fingerprint.otherwise(FINGERPRINT))
    there = set(arrived)
    settled = [
        one
        for place, one in enumerate(frame["sourcedId"])
        if is_settled(job, entity, one, results.get(place), arrived=place in there)
    ]
    job.ledger.record(job.key, entity, acknowledged, {}, settled, job.run)
    return results


def is_settled(job: Job, entity: str, sourced_id: str, result: Result | None, *, arrived: bool) -> bool:
    """Tell whether an intent can go: what was sent arrived, or it certainly did not, neither now nor from a killed run."""
    return arrived or ((result is None or result.settled) and sourced_id not in job.intended.get(entity, ()))


def _rows(entity: Entity, frame: pl.DataFrame) -> Iterator[Row]:
    ended = pl.col(ENDED_PARTS) if ENDED_PARTS in frame.columns else pl.lit(None, pl.String)
    cells = frame.select("sourcedId", ACTION, FIELDS, ended).iter_rows()
    for (sourced_id, action, fields, text), body in zip(cells, bodies(entity, frame), strict=True):
        yield Row(sourced_id, action, fields, body, parts_in(entity, ENDING, text) if text else None)
