"""What is done with records that vanished: the feed's policies, what other feeds claim, and the order of removal."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from connectors.ledger import Ledger
from flows.guard_context import details_of, left_behind
from flows.job import Job
from transforms.changes import ACTION, ACTIVE, Changes, EntityChanges
from transforms.removals import Details, children_first, decided


def with_policies(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Say what is done with what vanished, and in which order: nothing is deleted before what hangs on it."""
    details = details_of(changes, job, ledger)
    return ordered(
        decided(not_of_others(changes, job, ledger), details, job.guard.removed, job.run.today),
        details,
    )


def not_of_others(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Leave to other feeds of the same target what they have sent too, until it has vanished from their drops as well.

    Of what only feeds have sent that no longer run a person decides (`idle.py`).
    """
    names = [name for name, part in changes.items() if part.removals.height]
    others = ledger.of_others(job.key, names, (ACTIVE,))
    orphans = left_behind(changes, job, ledger) if others else None

    def _left(part: EntityChanges) -> EntityChanges:
        theirs = pl.col("sourcedId").is_in(others[part.entity].implode())
        if orphans is not None and orphans.height:
            theirs &= ~pl.col("sourcedId").is_in(
                orphans.filter(entity=part.entity)["sourcedId"].implode()
            )
        action = pl.when(theirs & (pl.col(ACTION) != "kept")).then(pl.lit("stay")).otherwise(ACTION)
        return replace(part, removals=part.removals.with_columns(action.alias(ACTION)))

    return {name: _left(part) if name in others else part for name, part in changes.items()}


def ordered(changes: Changes, details: Details) -> Changes:
    """Order what vanished such that children come before their parents."""

    def _ordered(part: EntityChanges) -> EntityChanges:
        if part.entity not in details or not part.removals.height:
            return part
        return replace(
            part, removals=children_first(part.entity, part.removals, details[part.entity])
        )

    return {name: _ordered(part) for name, part in changes.items()}
