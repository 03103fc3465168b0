"""Removals: what happens to records that are no longer in the drop.

The feed's policy for each entity decides: delete, disable, end or keep. A term that is over stays,
and so do its classes and enrollments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Literal

import polars as pl

from transforms.changes import ACTION, ENDS, PARENTS, SCHOOL, Changes, EntityChanges
from transforms.checks.references import depths, parent_column, parent_id, parent_ids
from transforms.schemas import ENTITIES

Policy = Literal["delete", "disable", "end", "keep"]
POLICIES: tuple[Policy, ...] = ("delete", "disable", "end", "keep")
DEFAULTS: Mapping[str, Policy] = {
    "enrollments": "delete",
    "classes": "delete",
    "componentResources": "delete",
    "users": "disable",
}
# Only users can be disabled, and only enrollments can be ended.
ONLY: Mapping[str, str] = {"disable": "users", "end": "enrollments"}
# Entities whose records belong to a record of another entity, with the same id.
OWNERS = {"demographics": "users"}

# The ledger's frames, by entity.
Details = Mapping[str, pl.DataFrame]


def allowed_policies(entity: str) -> tuple[Policy, ...]:
    """Return the policies that make sense for an entity."""
    return tuple(policy for policy in POLICIES if ONLY.get(policy, entity) == entity)


def apply_policies(
    changes: Changes, details: Details, policies: Mapping[str, Policy], today: date
) -> Changes:
    """Set the action for each record that is missing from the drop.

    `details` are the ledger's frames (`sourcedId`, `school`, `parents`, `ends`, ...) of the missing
    records, for all sessions, and for the classes of missing enrollments. Terms that are over stay,
    with their classes and enrollments: it is normal that a term ends. An `endDate` is the first day
    on which a term is over.
    """
    over = ended_records(details, today)
    return {
        name: _by_policy(part, details, policies, over.get(name), today)
        for name, part in changes.items()
    } | _followers(changes, details, policies)


def _by_policy(
    part: EntityChanges,
    details: Details,
    policies: Mapping[str, Policy],
    over: pl.Series | None,
    today: date,
) -> EntityChanges:
    if part.removals.is_empty():
        return part
    policy = policies.get(part.entity, DEFAULTS.get(part.entity, "keep"))
    stays = pl.col("sourcedId").is_in([] if over is None else over.implode())
    action = (
        pl.when(pl.col(ACTION).is_in(["kept", "stay", "leave"]))
        .then(ACTION)
        .when(stays)
        .then(pl.lit("stay"))
        .otherwise(pl.lit(policy))
    )
    removals = part.removals.with_columns(
        action.alias(ACTION), pl.lit(today.isoformat()).alias(ENDS)
    )
    return replace(part, removals=_with_school_and_parents(removals, details.get(part.entity)))


def _with_school_and_parents(removals: pl.DataFrame, details: pl.DataFrame | None) -> pl.DataFrame:
    """Add each record's school and parents from the ledger."""
    if details is None:
        return removals.with_columns(
            pl.lit(None, pl.String).alias(SCHOOL), pl.lit(None, pl.String).alias(PARENTS)
        )
    known = details.select(
        "sourcedId", pl.col("school").alias(SCHOOL), pl.col("parents").alias(PARENTS)
    )
    return removals.join(known, on="sourcedId", how="left", maintain_order="left")


def _followers(changes: Changes, details: Details, policies: Mapping[str, Policy]) -> Changes:
    """Let records of `OWNERS` follow their owner: they are deleted with it, or stay with it."""
    found = {}
    for name, owner in OWNERS.items():
        part, of_owner = changes.get(name), changes.get(owner)
        if part is None or part.removals.is_empty():
            continue
        if of_owner is not None and policies.get(owner, DEFAULTS[owner]) == "delete":
            gone = of_owner.of("delete")["sourcedId"].implode()
            # Not recorded as missing: the decision is made again in the run that deletes the owner.
            otherwise = "kept"
        else:
            gone, otherwise = pl.Series([], dtype=pl.String).implode(), "stay"
        follows = (pl.col(ACTION) == "delete") & pl.col("sourcedId").is_in(gone)
        decided = pl.col(ACTION).is_in(["kept", "stay"])
        action = pl.when(follows | decided).then(ACTION)
        removals = part.removals.with_columns(action.otherwise(pl.lit(otherwise)).alias(ACTION))
        found[name] = replace(part, removals=_with_school_and_parents(removals, details.get(name)))
    return found


def ended_records(details: Details, today: date) -> dict[str, pl.Series]:
    """Return the ids of the sessions, classes and enrollments in `details` that are over."""
    sessions = details.get("academicSessions")
    if sessions is None or "ends" not in sessions.columns:
        return {}
    running = sessions.filter(pl.col("ends").is_null() | (pl.col("ends") > today.isoformat()))[
        "sourcedId"
    ]
    ended = sessions.filter(pl.col("ends") <= today.isoformat())["sourcedId"]
    terms = parent_ids(pl.col("parents"), "academicSessions")
    some_run = terms.list.set_intersection(pl.lit(running.implode())).list.len() > 0
    some_ended = terms.list.set_intersection(pl.lit(ended.implode())).list.len() > 0
    found = {"academicSessions": ended}
    if (classes := details.get("classes")) is not None:
        found["classes"] = classes.filter(some_ended & ~some_run)["sourcedId"]
    if (enrollments := details.get("enrollments")) is not None and "classes" in found:
        of_class = (
            parent_ids(pl.col("parents"), "classes").list.first().is_in(found["classes"].implode())
        )
        found["enrollments"] = enrollments.filter(
            of_class.fill_null(value=False)
            | (pl.col("ends") <= today.isoformat()).fill_null(value=False)
        )["sourcedId"]
    return found


def children_first(name: str, removals: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """Order the removals of a tree, children first; `details` has the ledger's `parents`."""
    if parent_column(ENTITIES[name]) is None:
        return removals
    above = {
        record: parent_id(words, ENTITIES[name])
        for record, words in details.select("sourcedId", "parents").iter_rows()
    }
    ids = removals["sourcedId"].to_list()
    levels = pl.Series(
        "#depth", depths(ids, {record: parent for record, parent in above.items() if parent})
    )
    return (
        removals.with_columns(levels)
        .sort("#depth", descending=True, maintain_order=True)
        .drop("#depth")
    )
