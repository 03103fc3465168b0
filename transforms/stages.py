"""The stages in which the changes of a run are loaded.

The loader sends them, a rehearsal records them in a copy of the ledger, and `roster plan` counts
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from transforms.changes import (
    ACTION,
    ACTIVE,
    ENDS,
    KEPT,
    REMOVALS,
    Changes,
    Counts,
    EntityChanges,
)
from transforms.schemas import ENTITIES


@dataclass(frozen=True)
class HoldStage:
    """Changes that wait for approval. No request may refer to the new records among them."""

    entity: str
    records: pl.DataFrame  # the columns of `HELD`


@dataclass(frozen=True)
class UpsertStage:
    """Records to create, to update or to bring back."""

    entity: str
    records: pl.DataFrame  # the columns of `EntityChanges.upserts`
    said: frozenset[str] = frozenset()  # as in `EntityChanges`
    partial: frozenset[str] = frozenset()  # as in `EntityChanges`


@dataclass(frozen=True)
class RemovalStage:
    """Records to delete, to disable or to end, children before parents."""

    entity: str
    records: pl.DataFrame  # `sourcedId`, `#action`, `#ends`


@dataclass(frozen=True)
class StatusStage:
    """Records that get another status in the ledger, without a request to the target."""

    entity: str
    status: str
    ids: pl.Series


Stage = HoldStage | UpsertStage | RemovalStage | StatusStage


def load_stages(changes: Changes) -> list[Stage]:
    """Return the stages of a load, in order: parents first, removals last, children first.

    What needs no request comes at the very end. If a run is killed, the next one finds these
    records again, and the guard sees all of them.
    """
    parts = [changes[name] for name in ENTITIES if name in changes]
    return [
        *(HoldStage(part.entity, part.held) for part in parts if part.held.height),
        *(
            UpsertStage(part.entity, part.upserts, part.said, part.partial)
            for part in parts
            if part.upserts.height
        ),
        *(stage for part in reversed(parts) if (stage := _removals(part)).records.height),
        *(stage for part in parts for stage in _statuses(part) if stage.ids.len()),
    ]


def _removals(part: EntityChanges) -> RemovalStage:
    removals = part.of(*REMOVALS)
    if ENDS not in removals.columns:
        removals = removals.with_columns(pl.lit("").alias(ENDS))
    return RemovalStage(part.entity, removals.select("sourcedId", ACTION, ENDS))


def _statuses(part: EntityChanges) -> tuple[StatusStage, StatusStage]:
    return (
        StatusStage(part.entity, KEPT, part.of("keep", "stay")["sourcedId"]),
        StatusStage(part.entity, ACTIVE, part.returned),
    )


def due(stage: Stage) -> int:
    """Return the number of records that a stage sends."""
    return stage.records.height if isinstance(stage, UpsertStage | RemovalStage) else 0


def expected_counts(stage: Stage) -> Counts:
    """Return how the records of a stage are counted if the target acknowledges all of them."""
    match stage:
        case UpsertStage():
            updated = stage.records.filter(pl.col(ACTION) == "update").height
            return {"created": stage.records.height - updated, "updated": updated}
        case RemovalStage():
            actions = stage.records[ACTION]
            counts: Counts = {}
            for action, (term, _) in REMOVALS.items():
                counts[term] = counts.get(term, 0) + int((actions == action).sum())
            return counts
        case _:
            return {}


def waiting_counts(stage: Stage) -> Counts:
    """Return how the records of a stage are counted if nothing is sent yet."""
    return {"waiting": due(stage)}


def count_stages(stages: Iterable[Stage], count: Callable[[Stage], Counts]) -> dict[str, Counts]:
    """Add up the counts of the stages, by entity."""
    total: dict[str, Counts] = {}
    for stage in stages:
        counts = total.setdefault(stage.entity, {})
        for term, number in count(stage).items():
            counts[term] = counts.get(term, 0) + number
    return total
