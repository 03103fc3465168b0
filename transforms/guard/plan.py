"""A plan: exactly the changes that are held, so that a person can approve these and no others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from transforms.changes import (
    ACTION,
    ENDS,
    FINGERPRINT,
    HOLD,
    PARENTS,
    REMOVALS,
    SCHOOL,
    Changes,
    Counts,
    EntityChanges,
)
from transforms.checks.references import LedgerFrames
from transforms.diff import fingerprints_by_entity
from transforms.records import EntityRecords, RosterState

PLAN_DIGITS = 10
REMOVAL_ACTIONS = (*REMOVALS, "keep")
IS_REMOVAL = pl.col("action").is_in(REMOVAL_ACTIONS)
# Columns of a plan. `was` and `was_status` are what the ledger had when the plan was made.
PLAN_COLUMNS: dict[str, type[pl.DataType]] = {
    "entity": pl.String, "sourcedId": pl.String, "action": pl.String, "fingerprint": pl.Int64,
    "was": pl.Int64, "was_status": pl.String, "school": pl.String, "grade": pl.String,
    "hold": pl.String,
}  # fmt: skip
GRADES: dict[str, type[pl.DataType]] = {
    "entity": pl.String,
    "sourcedId": pl.String,
    "found": pl.String,
}
# Records without a grade of their own have the grade of this user.
GRADE_OWNERS = {"enrollments": "userSourcedId", "demographics": "sourcedId"}
ENTITIES_WITH_GRADES = ("users", "classes", "courses", *GRADE_OWNERS)
# Columns of upserts that the guard needs.
NO_UPSERTS = dict.fromkeys(("sourcedId", ACTION, PARENTS, SCHOOL), pl.String)
# What a plan needs from the ledger.
LEDGER_COLUMNS = {"sourcedId": pl.String, "fingerprint": pl.Int64, "status": pl.String}
RECORDS = {"entity": pl.String, "sourcedId": pl.String}


def held_records(changes: Changes, known: LedgerFrames) -> pl.DataFrame:
    """Return all held changes as a plan (columns `PLAN_COLUMNS`, `grade` null)."""
    frames = [
        _with_ledger(part.held, known.get(name), fingerprint="was", status="was_status").select(
            entity=pl.lit(part.entity),
            sourcedId="sourcedId",
            action=ACTION,
            fingerprint=FINGERPRINT,
            was="was",
            was_status="was_status",
            school=SCHOOL,
            grade=pl.lit(None, pl.String),
            hold=HOLD,
        )
        for name, part in changes.items()
        if part.held.height
    ]
    return pl.concat([pl.DataFrame(schema=PLAN_COLUMNS), *frames])


def fill_grades(records: pl.DataFrame, rosters: Sequence[LedgerFrames]) -> pl.DataFrame:
    """Fill in missing grades: the first grade of the record, or of its user.

    `rosters` have frames of `ENTITIES_WITH_GRADES` entities, as far as they are known. The first
    roster that has the grade counts.
    """
    frames = [_grades(name, roster) for roster in rosters for name in ENTITIES_WITH_GRADES]
    grades = (
        pl.concat([pl.DataFrame(schema=GRADES), *frames])
        .drop_nulls("found")
        .unique(["entity", "sourcedId"], keep="first", maintain_order=True)
    )
    met = records.join(grades, on=["entity", "sourcedId"], how="left", maintain_order="left")
    return met.with_columns(pl.coalesce("grade", "found").alias("grade")).drop("found")


def _grades(name: str, roster: LedgerFrames) -> pl.DataFrame:
    frame, users = roster.get(name), roster.get("users")
    owner = GRADE_OWNERS.get(name, "")
    # A roster without records of an entity may have only the id column.
    if (
        frame is not None
        and owner in frame.columns
        and users is not None
        and "grades" in users.columns
    ):
        theirs = users.select(pl.col("sourcedId").alias(owner), "grades")
        frame = frame.select("sourcedId", owner) if owner != "sourcedId" else frame.select(owner)
        frame = frame.join(theirs, on=owner, how="left", maintain_order="left")
    if frame is None or "grades" not in frame.columns:
        return pl.DataFrame(schema=GRADES)
    return frame.select(
        entity=pl.lit(name),
        sourcedId="sourcedId",
        found=pl.col("grades").str.split(",").list.first(),
    )


def plan_id(records: pl.DataFrame, feed: str) -> str:
    """Return an id that depends only on the feed and on the changes of a plan.

    The same changes get the same id tomorrow, and other changes get another id.
    """
    digest = hashlib.sha256(feed.encode())
    rows = records.select("entity", "sourcedId", "action", "fingerprint")
    for row in rows.sort("entity", "sourcedId").iter_rows():
        digest.update(repr(row).encode())
    return digest.hexdigest()[:PLAN_DIGITS]


def changed_since(records: pl.DataFrame, known: LedgerFrames) -> pl.DataFrame:
    """Return the records of a plan (`entity`, `sourcedId`) that changed in the ledger since.

    Records that already are as the plan wants them, because an interrupted approval has sent them,
    are left out.
    """
    same = pl.col("status").eq_missing(pl.col("was_status")) & pl.col("now").eq_missing(
        pl.col("was")
    )
    found = [
        _with_ledger(rows, known.get(name), fingerprint="now")
        .filter(~same & ~_is_done())
        .select(*RECORDS)
        for name, rows in by_entity(records)
    ]
    return pl.concat([pl.DataFrame(schema=RECORDS), *found])


def unsent_records(records: pl.DataFrame, known: LedgerFrames) -> pl.DataFrame:
    """Return the records of a plan that are not sent yet."""
    found = [
        _with_ledger(rows, known.get(name), fingerprint="now")
        .filter(~_is_done())
        .select(*PLAN_COLUMNS)
        for name, rows in by_entity(records)
    ]
    return pl.concat([pl.DataFrame(schema=PLAN_COLUMNS), *found])


def by_entity(records: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Return the records of a plan, entity by entity."""
    return (
        (name, records.filter(entity=name))
        for name in records["entity"].unique(maintain_order=True)
    )


def _with_ledger(rows: pl.DataFrame, known: pl.DataFrame | None, **names: str) -> pl.DataFrame:
    """Add `fingerprint` and `status` from the ledger, perhaps under other `names`."""
    ledger = pl.DataFrame(schema=LEDGER_COLUMNS) if known is None else known.select(*LEDGER_COLUMNS)
    return rows.join(ledger.rename(names), on="sourcedId", how="left", maintain_order="left")


def _is_done() -> pl.Expr:
    """Whether the ledger already has a record as the plan wants it.

    A record that was to be sent again as it was, such as one that this feed takes over from another
    one, is not done until the plan is.
    """
    wanted = pl.col("action").replace_strict(
        {action: status for action, (_, status) in REMOVALS.items()} | {"keep": "kept"},
        default="active",
    )
    again = (pl.col("was") == pl.col("fingerprint")).fill_null(value=False)
    sent = (pl.col("now") == pl.col("fingerprint")) & ~again
    arrived = pl.col("fingerprint").is_null() | sent
    return ((pl.col("status") == wanted) & arrived).fill_null(value=False)


def changes_of_plan(records: pl.DataFrame, changes: Changes, today: date) -> Changes:
    """Return the changes of a plan, and no others.

    The upserts come from `changes`, the difference between the archived roster and the ledger. The
    removals come from the plan itself.
    """
    return {
        name: _part_of_plan(changes.get(name), name, rows, today)
        for name, rows in by_entity(records)
    }


def _part_of_plan(
    part: EntityChanges | None, name: str, rows: pl.DataFrame, today: date
) -> EntityChanges:
    part = part or EntityChanges(name, pl.DataFrame(schema=NO_UPSERTS))
    ids = rows.filter(~IS_REMOVAL)["sourcedId"].implode()
    upserts = part.upserts.filter(pl.col("sourcedId").is_in(ids))
    removals = rows.filter(IS_REMOVAL).select(
        "sourcedId",
        pl.col("action").alias(ACTION),
        pl.col("school").alias(SCHOOL),
        pl.lit(str(today)).alias(ENDS),
    )
    counts: Counts = {"read": upserts.height, "vanished": removals.height}
    counts["kept"] = removals.filter(pl.col(ACTION) == "keep").height
    return replace(
        part, upserts=upserts, removals=removals, counts=counts, returned=part.returned.clear()
    )


def contradicted_records(
    records: pl.DataFrame, source: RosterState, newer: RosterState
) -> pl.DataFrame:
    """Return the records of a plan (`entity`, `sourcedId`) that a newer roster contradicts.

    It has records that the plan removes, or has other values than the plan sends. `source` is the
    roster of the plan. Entities that are missing from `newer` are not compared.
    """
    found = [
        rows.filter(
            _has_returned(rows, source.get(name), newer[name])
            | _has_changed(rows, source.get(name), newer[name])
        )
        for name, rows in by_entity(records)
        if name in newer
    ]
    return pl.concat([pl.DataFrame(schema=RECORDS), *(rows.select(*RECORDS) for rows in found)])


def _has_returned(
    rows: pl.DataFrame, source: EntityRecords | None, newer: EntityRecords
) -> pl.Series:
    """Whether the plan removes a record that the newer roster has.

    If some rows of the newer roster have no certain id, any record may be among them.
    """
    there = pl.concat(
        [newer.accepted["sourcedId"], newer.refused["sourcedId"], newer.withheld["sourcedId"]]
    )
    unsure = newer.blurred and not (source is not None and source.blurred)
    return rows.select(
        hit=IS_REMOVAL & (pl.col("sourcedId").is_in(there.implode()) | pl.lit(value=unsure))
    )["hit"]


def _has_changed(
    rows: pl.DataFrame, source: EntityRecords | None, newer: EntityRecords
) -> pl.Series:
    """Whether the plan sends a record that differs in the newer roster."""
    met = rows.select("sourcedId", "action")
    for name, roster in (("then", source), ("now", newer)):
        met = met.join(_marks(roster, name), on="sourcedId", how="left", maintain_order="left")
    return met.select(
        hit=~IS_REMOVAL & pl.col("then").is_not_null() & pl.col("then").ne_missing(pl.col("now"))
    )["hit"]


def _marks(records: EntityRecords | None, name: str) -> pl.DataFrame:
    """Return the fingerprint of each accepted record, in a column of this name."""
    if records is None:
        return pl.DataFrame(schema={"sourcedId": pl.String, name: pl.Int64})
    marks = fingerprints_by_entity({records.entity.name: records})[records.entity.name]
    return pl.DataFrame({"sourcedId": records.accepted["sourcedId"], name: marks})
