"""What happens to records that are missing from a drop: the feed's policies, and other feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from connectors.ledger import Ledger
from flows.guard_context import details_of_removals, left_behind_records
from flows.job import Job
from transforms.changes import ACTION, ACTIVE, Changes, EntityChanges
from transforms.removals import DEFAULTS, Details, apply_policies, children_first


def with_policies(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Decide what happens to each missing record, and in which order: children before parents."""
    details = details_of_removals(changes, job, ledger)
    changes = keep_shared_records(changes, job, ledger)
    return children_before_parents(
        apply_policies(changes, details, job.guard.removed, job.run.today), details
    )


def keep_shared_records(changes: Changes, job: Job, ledger: Ledger) -> Changes:
    """Keep records that other feeds of the same target have, until they remove them too.

    Users lose what only this feed has sent of them, such as their roles at its schools. A person
    decides on records that only feeds sent which no longer run (`left_behind_records`).
    """
    names = [name for name, part in changes.items() if part.removals.height]
    if not names or not ledger.other_feeds(job.key):
        others = {}
    else:
        others = ledger.of_others(job.key, names, (ACTIVE,))
    changes = changes | {name: _alone_again(changes[name], others, job) for name in names}
    orphans = left_behind_records(changes, job, ledger) if others else None
    kept = {}
    for name, ids in others.items():
        theirs = pl.col("sourcedId").is_in(ids.implode())
        if orphans is not None and orphans.height:
            orphan_ids = orphans.filter(entity=name)["sourcedId"]
            theirs &= ~pl.col("sourcedId").is_in(orphan_ids.implode())
        left = "leave" if name == "users" else "stay"
        action = pl.when(theirs & (pl.col(ACTION) != "kept")).then(pl.lit(left)).otherwise(ACTION)
        removals = changes[name].removals.with_columns(action.alias(ACTION))
        kept[name] = replace(changes[name], removals=removals)
    return changes | kept


def _alone_again(part: EntityChanges, others: Mapping[str, pl.Series], job: Job) -> EntityChanges:
    """Apply the feed's policy to what a plan leaves to other feeds, if none of them has it now."""
    theirs = others.get(part.entity, pl.Series(dtype=pl.String))
    policy = job.guard.removed.get(part.entity, DEFAULTS.get(part.entity, "keep"))
    alone = (pl.col(ACTION) == "leave") & ~pl.col("sourcedId").is_in(theirs.implode())
    action = pl.when(alone).then(pl.lit(policy)).otherwise(ACTION).alias(ACTION)
    return replace(part, removals=part.removals.with_columns(action))


def children_before_parents(changes: Changes, details: Details) -> Changes:
    """Order the removals of each entity: children before parents."""
    return {
        name: replace(part, removals=children_first(name, part.removals, details[name]))
        if name in details and part.removals.height
        else part
        for name, part in changes.items()
    }
