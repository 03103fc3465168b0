"""A large invented district as a OneRoster 1.2 drop: some columns filled, others blank, as exports are."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.rosters import manifest
from transforms.schemas import ENTITIES

ENROLLMENTS_EACH = 6
PEOPLE_A_CLASS, PEOPLE_A_SCHOOL, CLASSES_A_COURSE = 25, 1000, 4


def write_district(folder: Path, people: int) -> Path:
    """Write a drop of so many people, each with six enrollments; a drop that is there already is left."""
    if (folder / "manifest.csv").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    tables = _tables(people)
    for name, frame in tables.items():
        columns = [column.name for column in ENTITIES[name].current]
        blank = [
            pl.lit(None, pl.String).alias(column)
            for column in columns
            if column not in frame.columns
        ]
        frame.with_columns(blank).select(columns).write_csv(folder / f"{name}.csv")
    (folder / "manifest.csv").write_text(manifest(dict.fromkeys(tables, "bulk")))
    return folder


def _tables(people: int) -> dict[str, pl.DataFrame]:
    schools, classes = max(2, people // PEOPLE_A_SCHOOL), max(4, people // PEOPLE_A_CLASS)
    return {
        "orgs": _orgs(schools),
        "academicSessions": _sessions(),
        "courses": _numbered(classes // CLASSES_A_COURSE + 1).select(
            sourcedId=pl.format("course-{}", "n"),
            title=pl.format("Course {}", "n"),
            courseCode=pl.format("C{}", "n"),
            grades=pl.lit("09"),
            orgSourcedId=pl.lit("district"),
            schoolYearSourcedId=pl.lit("year"),
        ),
        "classes": _numbered(classes).select(
            sourcedId=pl.format("class-{}", "n"),
            title=pl.format("Class {}", "n"),
            grades=pl.lit("09"),
            courseSourcedId=pl.format("course-{}", pl.col("n") // CLASSES_A_COURSE),
            classType=pl.lit("scheduled"),
            schoolSourcedId=pl.format("school-{}", pl.col("n") % schools),
            termSourcedIds=pl.lit("fall"),
            periods=pl.lit("1"),
        ),
        "users": _numbered(people).select(
            sourcedId=pl.format("user-{}", "n"),
            enabledUser=pl.lit("true"),
            username=pl.format("u{}", "n"),
            givenName=pl.format("Given{}", pl.col("n") % 5000),
            familyName=pl.format("Family{}", pl.col("n") % 9000),
            identifier=pl.col("n").cast(pl.String),
            email=pl.format("u{}@students.example.edu", "n"),
            grades=pl.lit("09"),
            primaryOrgSourcedId=pl.format("school-{}", pl.col("n") % schools),
        ),
        "roles": _numbered(people).select(
            sourcedId=pl.format("role-{}", "n"),
            userSourcedId=pl.format("user-{}", "n"),
            roleType=pl.lit("primary"),
            role=pl.when(pl.col("n") % 20 == 0)
            .then(pl.lit("teacher"))
            .otherwise(pl.lit("student")),
            orgSourcedId=pl.format("school-{}", pl.col("n") % schools),
        ),
        "enrollments": _enrollments(people, classes, schools),
    }


def _numbered(count: int) -> pl.DataFrame:
    return pl.DataFrame({"n": pl.int_range(count, eager=True)})


def _orgs(schools: int) -> pl.DataFrame:
    ids = ["district", *(f"school-{number}" for number in range(schools))]
    return pl.DataFrame({"sourcedId": ids, "name": [one.title() for one in ids]}).with_columns(
        type=pl.when(pl.col("sourcedId") == "district")
        .then(pl.lit("district"))
        .otherwise(pl.lit("school")),
        parentSourcedId=pl.when(pl.col("sourcedId") != "district").then(pl.lit("district")),
    )


def _sessions() -> pl.DataFrame:
    return pl.DataFrame(
        {"sourcedId": ["year", "fall"], "title": ["Year", "Fall"], "type": ["schoolYear", "term"]}
    ).with_columns(
        startDate=pl.lit("2026-08-15"),
        endDate=pl.lit("2027-06-10"),
        schoolYear=pl.lit("2027"),
        parentSourcedId=pl.when(pl.col("type") == "term").then(pl.lit("year")),
    )


def _enrollments(people: int, classes: int, schools: int) -> pl.DataFrame:
    place = (pl.col("n") * 7919) % classes
    return _numbered(people * ENROLLMENTS_EACH).select(
        sourcedId=pl.format("enrollment-{}", "n"),
        classSourcedId=pl.format("class-{}", place),
        schoolSourcedId=pl.format("school-{}", place % schools),
        userSourcedId=pl.format("user-{}", pl.col("n") % people),
        role=pl.lit("student"),
        beginDate=pl.lit("2026-08-15"),
        endDate=pl.lit("2027-06-10"),
    )
