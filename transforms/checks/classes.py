"""Classes and their enrollments: same school, teachers and students, one primary teacher."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW, Findings, row_findings
from transforms.records import EntityRecords, RosterState

FROM, UNTIL = "0000", "9999"  # before and after every day
WANTED = {"teacher": "class_without_teacher", "student": "class_without_student"}


def reconcile_classes(standing: RosterState) -> tuple[RosterState, list[Findings]]:
    """Make classes and enrollments consistent with each other, if the drop has both.

    Teachers and students are only checked if both files are full snapshots.
    """
    if not {"classes", "enrollments"} <= standing.keys():
        return standing, []
    classes = standing["classes"]
    enrollments, found = _with_school_of_class(standing["enrollments"], classes)
    if classes.mode == enrollments.mode == "bulk":
        found += _empty_classes(classes, enrollments)
        enrollments, findings = _with_one_primary_teacher(enrollments)
        found += findings
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


def _empty_classes(classes: EntityRecords, enrollments: EntityRecords) -> list[Findings]:
    """Report classes without a teacher, or without students."""
    found = []
    seats = enrollments.accepted.select("role", pl.col("classSourcedId").hash().alias("class"))
    for role, rule in WANTED.items():
        filled = seats.filter(pl.col("role") == role)["class"].unique()
        empty = classes.accepted.filter(~pl.col("sourcedId").hash().is_in(filled.implode()))
        found.append(_finding(rule, empty, classes, "sourcedId"))
    return found


def _with_one_primary_teacher(enrollments: EntityRecords) -> tuple[EntityRecords, list[Findings]]:
    """Leave each class one primary teacher at a time, whatever the order of the rows."""
    main = enrollments.accepted.select(
        ROW, "sourcedId", "primary", "role", "classSourcedId", "beginDate", "endDate"
    )
    main = main.filter((pl.col("primary") == "true") & (pl.col("role") == "teacher"))
    main = main.filter(main["classSourcedId"].is_duplicated()).sort("sourcedId")
    if not main.height:
        return enrollments, []
    flags = _overlaps(main.select("classSourcedId", "beginDate", "endDate").rows())
    extra = main.filter(pl.Series(flags, dtype=pl.Boolean))
    is_extra = pl.col(ROW).is_in(extra[ROW].implode())
    primary = pl.when(is_extra).then(pl.lit("false")).otherwise("primary").alias("primary")
    changed = replace(enrollments, accepted=enrollments.accepted.with_columns(primary))
    return changed, [_finding("primary_twice", extra, enrollments, "primary")]


def _overlaps(rows: list[tuple[str, str | None, str | None]]) -> list[bool]:
    """Tell for each class and period whether it overlaps an earlier one that does not."""
    kept: dict[str, list[tuple[str, str]]] = {}
    found = []
    for class_id, first, last in rows:
        begin, end = first or FROM, last or UNTIL
        overlaps = any(begin < until and start < end for start, until in kept.get(class_id, []))
        found.append(overlaps)
        if not overlaps:
            kept.setdefault(class_id, []).append((begin, end))
    return found


def _finding(rule: str, rows: pl.DataFrame, of: EntityRecords, column: str) -> Findings:
    return row_findings(
        rule, rows, file=of.file, entity=of.entity.name, column=column, value=column
    )
