"""Step 6 of the straight line: which changes a person has to agree to before they are sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import polars as pl

from transforms.changes import ACTION, Changes, EntityChanges

PLAN_DIGITS = 10


@dataclass(frozen=True)
class Guarded:
    """The changes, some of them held; `plan` names exactly what is held, and is empty if nothing could be."""

    changes: Changes
    plan: str

    @property
    def held(self) -> int:
        """How many changes wait for a person."""
        return sum(entity.of("held").height for entity in self.changes.values())


def guard(changes: Changes, approved: str | None, feed: str) -> Guarded:
    """Hold every delete, unless the plan that a person approved names exactly these.

    `feed` tells the plans of feeds and targets apart.
    """
    plan = plan_of(changes, feed)
    if not plan or plan == approved:
        return Guarded(changes, plan)
    return Guarded({name: _held(entity) for name, entity in changes.items()}, plan)


def plan_of(changes: Changes, feed: str) -> str:
    """Name a set of deletes by its content: the same deletes have the same name tomorrow, others another one."""
    digest = hashlib.sha256(feed.encode())
    deletes = {name: entity.of("delete")["sourcedId"].sort().to_list() for name, entity in sorted(changes.items())}
    for name, ids in deletes.items():
        digest.update(repr((name, ids)).encode())
    return digest.hexdigest()[:PLAN_DIGITS] if any(deletes.values()) else ""


def _held(entity: EntityChanges) -> EntityChanges:
    action = pl.when(pl.col(ACTION) == "delete").then(pl.lit("held")).otherwise(ACTION).alias(ACTION)
    held = entity.of("delete").height
    removals = entity.removals.with_columns(action)
    return replace(entity, removals=removals, counts={**entity.counts, "held": held})
