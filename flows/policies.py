"""What happens to records that are missing from a drop: the feed's policies, and other feeds."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from connectors.ledger import Ledger
from flows.guard_context import details_of_removals, left_behind_records
from flows.job import Job
from transforms.changes import ACTION, ACTIVE, Changes
from transforms.removals import Details, apply_policies, children_first


def with_policies(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Decide what happens to each missing record, and in which order: children before parents."""
    details = details_of_removals(changes, job, ledger)
    changes = keep_shared_records(changes, job, ledger)
    return children_before_parents(
        apply_policies(changes, details, job.guard.removed, job.run.today), details
    )


def keep_shared_records(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Keep records that other feeds of the same target have sent too, until they remove them.

    A person decides on records that only feeds sent which no longer run (`left_behind_records`).
    """
    names = [name for name, part in changes.items() if part.removals.height]
    others = ledger.of_others(job.key, names, (ACTIVE,))
    orphans = left_behind_records(changes, job, ledger) if others else None
    kept = {}
    for name, ids in others.items():
        theirs = pl.col("sourcedId").is_in(ids.implode())
        if orphans is not None and orphans.height:
            orphan_ids = orphans.filter(entity=name)["sourcedId"]
            theirs &= ~pl.col("sourcedId").is_in(orphan_ids.implode())
        action = pl.when(theirs & (pl.col(ACTION) != "kept")).then(pl.lit("stay")).otherwise(ACTION)
        removals = changes[name].removals.with_columns(action.alias(ACTION))
        kept[name] = replace(changes[name], removals=removals)
    return changes | kept


def children_before_parents(changes: Changes, details: Details) -> Changes:
    """Order the removals of each entity: children before parents."""
    return {
        name: replace(part, removals=children_first(name, part.removals, details[name]))
        if name in details and part.removals.height
        else part
        for name, part in changes.items()
    }
