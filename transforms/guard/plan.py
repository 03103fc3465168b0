"""A plan: exactly the changes that wait, so that a person can agree to them tomorrow, and to nothing else."""

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
from transforms.checks.references import Known
from transforms.diff import marked
from transforms.records import EntityRecords, RosterState

PLAN_DIGITS = 10
REMOVAL_ACTIONS = (*REMOVALS, "keep")
PLANNED: dict[str, type[pl.DataType]] = {
    "entity": pl.String, "sourcedId": pl.String, "action": pl.String, "fingerprint": pl.Int64, "was": pl.Int64,
    "was_status": pl.String, "school": pl.String, "grade": pl.String, "hold": pl.String,
}  # fmt: skip
GRADES: dict[str, type[pl.DataType]] = {
    "entity": pl.String,
    "sourcedId": pl.String,
    "found": pl.String,
}
# Whose grade a record has that has none itself.
OF_USERS = {"enrollments": "userSourcedId", "demographics": "sourcedId"}
GRADED = ("users", "classes", "courses", *OF_USERS)
# What the guard looks at of upserts.
NO_UPSERTS = dict.fromkeys(("sourcedId", ACTION, PARENTS, SCHOOL), pl.String)
UNKNOWN = {"sourcedId": pl.String, "fingerprint": pl.Int64, "status": pl.String}


def planned(changes: Changes, known: Known) -> pl.DataFrame:
    """Everything that is held (columns of `PLANNED`), and what the ledger said of it (`was`, `was_status`)."""
    frames = [_planned(part, known.get(name)) for name, part in changes.items() if part.held.height]
    return pl.concat([pl.DataFrame(schema=PLANNED), *frames])


def with_grades(records: pl.DataFrame, rosters: Sequence[Known]) -> pl.DataFrame:
    """Say the grade of each record: its own first one, or that of its user; the first of the rosters that knows it does.

    `rosters` have frames of users, classes, courses and enrollments, as far as they have them.
    """
    grades = pl.concat(
        [
            pl.DataFrame(schema=GRADES),
            *(_grades(name, roster) for roster in rosters for name in GRADED),
        ]
    )
    grades = grades.drop_nulls("found").unique(
        ["entity", "sourcedId"], keep="first", maintain_order=True
    )
    met = records.join(grades, on=["entity", "sourcedId"], how="left", maintain_order="left")
    return met.with_columns(pl.coalesce("grade", "found").alias("grade")).drop("found")


def _grades(name: str, roster: Known) -> pl.DataFrame:
    frame, users = roster.get(name), roster.get("users")
    owner = OF_USERS.get(name, "")
    # A roster without any record of an entity may know none of its columns but the id.
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
    """Name a plan by its content and its feed: the same changes have the same name tomorrow, others another one."""
    digest = hashlib.sha256(feed.encode())
    for row in (
        records.select("entity", "sourcedId", "action", "fingerprint")
        .sort("entity", "sourcedId")
        .iter_rows()
    ):
        digest.update(repr(row).encode())
    return digest.hexdigest()[:PLAN_DIGITS]


def _planned(part: EntityChanges, known: pl.DataFrame | None) -> pl.DataFrame:
    ledger = pl.DataFrame(schema=UNKNOWN) if known is None else known.select(*UNKNOWN)
    ledger = ledger.rename({"fingerprint": "was", "status": "was_status"})
    rows = part.held.join(ledger, on="sourcedId", how="left", maintain_order="left")
    return rows.select(
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


def moved(records: pl.DataFrame, known: Known) -> pl.DataFrame:
    """The records of a plan (`entity`, `sourcedId`) of which the ledger says something else by now.

    What the plan wanted already, because an approval that broke off has sent it, has not moved.
    """
    found = [_moved(rows, known.get(name)) for name, rows in by_entity(records)]
    return pl.concat([pl.DataFrame(schema={"entity": pl.String, "sourcedId": pl.String}), *found])


def _moved(rows: pl.DataFrame, known: pl.DataFrame | None) -> pl.DataFrame:
    met = _met(rows, known)
    same = pl.col("status").eq_missing(pl.col("was_status")) & pl.col("now").eq_missing(
        pl.col("was")
    )
    return met.filter(~same & ~_done()).select("entity", "sourcedId")


def undone(records: pl.DataFrame, known: Known) -> pl.DataFrame:
    """The records of a plan that have not been sent yet."""
    found = [
        _met(rows, known.get(name)).filter(~_done()).select(*PLANNED)
        for name, rows in by_entity(records)
    ]
    return pl.concat([pl.DataFrame(schema=PLANNED), *found])


def by_entity(records: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """The records of a plan, entity by entity."""
    return (
        (name, records.filter(entity=name))
        for name in records["entity"].unique(maintain_order=True)
    )


def _met(rows: pl.DataFrame, known: pl.DataFrame | None) -> pl.DataFrame:
    ledger = pl.DataFrame(schema=UNKNOWN) if known is None else known.select(*UNKNOWN)
    ledger = ledger.rename({"fingerprint": "now"})
    return rows.join(ledger, on="sourcedId", how="left", maintain_order="left")


def _done() -> pl.Expr:
    """Whether the ledger says of a record what the plan wanted."""
    wanted = pl.col("action").replace_strict(
        {action: status for action, (_, status) in REMOVALS.items()} | {"keep": "kept"},
        default="active",
    )
    arrived = pl.col("fingerprint").is_null() | (pl.col("now") == pl.col("fingerprint"))
    return ((pl.col("status") == wanted) & arrived).fill_null(value=False)


def of_plan(records: pl.DataFrame, changes: Changes, today: date) -> Changes:
    """The changes of a plan, and no others: its upserts out of those that the archived roster makes, and its removals."""
    names = records["entity"].unique(maintain_order=True)
    return {
        name: _of_plan(changes.get(name), name, records.filter(entity=name), today)
        for name in names
    }


def _of_plan(
    part: EntityChanges | None, name: str, rows: pl.DataFrame, today: date
) -> EntityChanges:
    part = part or EntityChanges(name, pl.DataFrame(schema=NO_UPSERTS))
    agreed = rows.filter(~pl.col("action").is_in(REMOVAL_ACTIONS))
    upserts = part.upserts.filter(pl.col("sourcedId").is_in(agreed["sourcedId"].implode()))
    gone = rows.filter(pl.col("action").is_in(REMOVAL_ACTIONS))
    removals = gone.select(
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


RECORDS = {"entity": pl.String, "sourcedId": pl.String}
REMOVAL = pl.col("action").is_in(REMOVAL_ACTIONS)


def overtaken(records: pl.DataFrame, source: RosterState, newer: RosterState) -> pl.DataFrame:
    """The records of a plan (`entity`, `sourcedId`) that are to go and the newer roster has, or that it has otherwise.

    `source` is the roster of which the plan is. Of entities that the newer one lacks it says nothing.
    """
    found = [
        rows.filter(
            _returned(rows, source.get(name), newer[name])
            | _changed(rows, source.get(name), newer[name])
        )
        for name, rows in by_entity(records)
        if name in newer
    ]
    return pl.concat([pl.DataFrame(schema=RECORDS), *(rows.select(*RECORDS) for rows in found)])


def _returned(rows: pl.DataFrame, source: EntityRecords | None, newer: EntityRecords) -> pl.Series:
    """Which rows are to go, and are there: nobody can say who is missing once there are rows whose id is not certain."""
    there = pl.concat(
        [newer.accepted["sourcedId"], newer.refused["sourcedId"], newer.withheld["sourcedId"]]
    )
    unsure = newer.blurred and not (source is not None and source.blurred)
    return rows.select(
        hit=REMOVAL & (pl.col("sourcedId").is_in(there.implode()) | pl.lit(value=unsure))
    )["hit"]


def _changed(rows: pl.DataFrame, source: EntityRecords | None, newer: EntityRecords) -> pl.Series:
    """Which rows are to be sent as the plan's roster has them, and are not so any more."""
    met = rows.select("sourcedId", "action")
    for name, judged in (("then", source), ("now", newer)):
        met = met.join(_marks(judged, name), on="sourcedId", how="left", maintain_order="left")
    return met.select(
        hit=~REMOVAL & pl.col("then").is_not_null() & pl.col("then").ne_missing(pl.col("now"))
    )["hit"]


def _marks(judged: EntityRecords | None, name: str) -> pl.DataFrame:
    if judged is None:
        return pl.DataFrame(schema={"sourcedId": pl.String, name: pl.Int64})
    marks = marked({judged.entity.name: judged})[judged.entity.name]
    return pl.DataFrame({"sourcedId": judged.accepted["sourcedId"], name: marks})
