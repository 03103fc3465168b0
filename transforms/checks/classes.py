"""Classes and those who are in them: the school of an enrollment, teachers and students, the one main teacher."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW, Findings, of_rows
from transforms.records import EntityRecords, RosterState

FROM, UNTIL = "0000", "9999"  # before and after every day
WANTED = {"teacher": "class_without_teacher", "student": "class_without_student"}


def settled_classes(standing: RosterState) -> tuple[RosterState, list[Findings]]:
    """Settle what classes and enrollments say of each other, as far as the drop has both."""
    if not {"classes", "enrollments"} <= standing.keys():
        return standing, []
    classes = standing["classes"]
    enrollments, found = _in_the_school_of_the_class(standing["enrollments"], classes)
    if classes.mode == enrollments.mode == "bulk":
        found += _lonely(classes, enrollments)
        enrollments, told = _with_one_main_teacher(enrollments)
        found += told
    return standing | {"enrollments": enrollments}, found


def _in_the_school_of_the_class(
    enrollments: EntityRecords, classes: EntityRecords
) -> tuple[EntityRecords, list[Findings]]:
    """Give enrollments that name another school the one of their class, as a target has them anyway."""
    # Hashes of class and school are compared first: a join of all enrollments takes ten times as long.
    places = classes.accepted.select(_place("sourcedId")).to_series()
    other = enrollments.accepted.filter(~_place("classSourcedId").is_in(places.implode()))
    if not other.height:
        return enrollments, []
    schools = classes.accepted.select(classSourcedId="sourcedId", school="schoolSourcedId")
    other = other.join(schools, on="classSourcedId", how="inner", maintain_order="left")
    right = enrollments.accepted.join(
        other.select(ROW, "school"), on=ROW, how="left", maintain_order="left"
    )
    right = right.with_columns(schoolSourcedId=pl.coalesce("school", "schoolSourcedId")).drop(
        "school"
    )
    return replace(enrollments, accepted=right), [
        _told("school_of_class", other, enrollments, "schoolSourcedId")
    ]


def _place(of: str) -> pl.Expr:
    return pl.col(of).hash(1) ^ pl.col("schoolSourcedId").hash(2)


def _lonely(classes: EntityRecords, enrollments: EntityRecords) -> list[Findings]:
    """Tell of classes that nobody teaches, or nobody attends."""
    found = []
    seats = enrollments.accepted.select("role", pl.col("classSourcedId").hash().alias("class"))
    for role, rule in WANTED.items():
        served = seats.filter(pl.col("role") == role)["class"].unique()
        lonely = classes.accepted.filter(~pl.col("sourcedId").hash().is_in(served.implode()))
        found.append(_told(rule, lonely, classes, "sourcedId"))
    return found


def _with_one_main_teacher(enrollments: EntityRecords) -> tuple[EntityRecords, list[Findings]]:
    """Leave one main teacher to a class at any one time, whichever order the rows are in."""
    main = enrollments.accepted.select(
        ROW, "sourcedId", "primary", "role", "classSourcedId", "beginDate", "endDate"
    )
    main = main.filter((pl.col("primary") == "true") & (pl.col("role") == "teacher"))
    main = main.filter(main["classSourcedId"].is_duplicated()).sort("sourcedId")
    if not main.height:
        return enrollments, []
    extra = main.filter(
        pl.Series(
            _extra(main.select("classSourcedId", "beginDate", "endDate").rows()), dtype=pl.Boolean
        )
    )
    demoted = (
        pl.when(pl.col(ROW).is_in(extra[ROW].implode())).then(pl.lit("false")).otherwise("primary")
    )
    settled = replace(
        enrollments, accepted=enrollments.accepted.with_columns(demoted.alias("primary"))
    )
    return settled, [_told("primary_twice", extra, enrollments, "primary")]


def _extra(rows: list[tuple[str, str | None, str | None]]) -> list[bool]:
    """Say of each main teacher whether one that stays was there at the same time."""
    staying: dict[str, list[tuple[str, str]]] = {}
    found = []
    for one, begins, ends in rows:
        begin, end = begins or FROM, ends or UNTIL
        extra = any(begin < until and start < end for start, until in staying.get(one, []))
        found.append(extra)
        if not extra:
            staying.setdefault(one, []).append((begin, end))
    return found


def _told(rule: str, rows: pl.DataFrame, judged: EntityRecords, column: str) -> Findings:
    return of_rows(
        rule, rows, file=judged.file, entity=judged.entity.name, column=column, value=column
    )
