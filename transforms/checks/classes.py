"""Classes and their enrollments: same school, teachers and students, one primary teacher."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW, Findings, row_findings
from transforms.main_teachers import with_one_main_teacher
from transforms.records import EntityRecords, RosterState
from transforms.roster import Roster
from transforms.schemas.vocabularies import TOBEDELETED

WANTED = {"teacher": "class_without_teacher", "student": "class_without_student"}


def reconcile_classes(standing: RosterState, roster: Roster) -> tuple[RosterState, list[Findings]]:
    """Make classes and enrollments consistent with each other, as far as the drop has them.

    Teachers and students are only checked if both files are full snapshots, and missed only where
    no row of the `roster` has them: a rejected row has its own cause. The main teachers of a
    delta are compared with the roster before (`settle_main_teachers`).
    """
    found: list[Findings] = []
    if {"classes", "enrollments"} <= standing.keys():
        standing, found = _reconcile_both(standing, roster)
    enrollments = standing.get("enrollments")
    if enrollments is None or enrollments.mode == "delta":
        return standing, found
    enrollments, twice = with_one_main_teacher(enrollments)
    return standing | {"enrollments": enrollments}, [*found, twice]


def _reconcile_both(standing: RosterState, roster: Roster) -> tuple[RosterState, list[Findings]]:
    classes = standing["classes"]
    enrollments, found = _with_school_of_class(standing["enrollments"], classes)
    if classes.mode == enrollments.mode == "bulk":
        found += _empty_classes(classes, roster.tables["enrollments"].frame)
    return standing | {"enrollments": enrollments}, found


def _with_school_of_class(
    enrollments: EntityRecords, classes: EntityRecords
) -> tuple[EntityRecords, list[Findings]]:
    """Move enrollments in another school to the school of their class, as targets do."""
    # Compare hashes of class and school first: a join of all enrollments takes ten times as long.
    places = classes.accepted.select(_place("sourcedId")).to_series()
    other = enrollments.accepted.filter(~_place("classSourcedId").is_in(places.implode()))
    if not other.height:
        return enrollments, []
    schools = classes.accepted.select(classSourcedId="sourcedId", school="schoolSourcedId")
    other = other.join(schools, on="classSourcedId", how="inner", maintain_order="left")
    joined = enrollments.accepted.join(
        other.select(ROW, "school"), on=ROW, how="left", maintain_order="left"
    )
    school = pl.coalesce("school", "schoolSourcedId")
    corrected = joined.with_columns(schoolSourcedId=school).drop("school")
    return replace(enrollments, accepted=corrected), [
        _finding("school_of_class", other, enrollments, "schoolSourcedId")
    ]


def _place(class_id: str) -> pl.Expr:
    """Hash a class and its school; `class_id` is the column with the class's id."""
    return pl.col(class_id).hash(1) ^ pl.col("schoolSourcedId").hash(2)


def _empty_classes(classes: EntityRecords, enrollments: pl.DataFrame) -> list[Findings]:
    """Report classes without a teacher, or without students."""
    found = []
    there = enrollments.filter(pl.col("status").ne_missing(TOBEDELETED))
    seats = there.select("role", pl.col("classSourcedId").hash().alias("class"))
    for role, rule in WANTED.items():
        filled = seats.filter(pl.col("role") == role)["class"].unique()
        empty = classes.accepted.filter(~pl.col("sourcedId").hash().is_in(filled.implode()))
        found.append(_finding(rule, empty, classes, "sourcedId"))
    return found


def _finding(rule: str, rows: pl.DataFrame, of: EntityRecords, column: str) -> Findings:
    return row_findings(
        rule, rows, file=of.file, entity=of.entity.name, column=column, value=column
    )
