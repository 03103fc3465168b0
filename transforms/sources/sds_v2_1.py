"""Microsoft School Data Sync, version 2.1.

A drop is a full snapshot: the same files are sent every time. School years keep the number that the
drop gives them. Colleges and universities have classes, so OneRoster's word for them is school.
A drop may have roles of several years, so the grade is that of the role that holds today.
Source: Microsoft Learn, `sds-v2.1-csv-file-format`.
"""

from __future__ import annotations

import polars as pl

from transforms.layouts import (
    File,
    Frames,
    Join,
    Layout,
    ReadingOptions,
    birth_date,
    blank,
    class_role,
    constant,
    day_after,
    derived,
    filled,
    first,
    grades,
    iso_date,
    joined,
    one_of,
    org_type,
    races,
    role,
    rows,
    sex,
    text,
    texts,
    user_ids,
)
from transforms.layouts.vocabulary import FAMILY

PRIMARY = {
    "true": "primary",
    "1": "primary",
    "yes": "primary",
    "false": "secondary",
    "0": "secondary",
    "no": "secondary",
}
ROLE_DAYS, SESSION_DAYS = ("roleStartDate", "roleEndDate"), ("startDate", "endDate")
SIGNS = ("#state", "#secondary", "#distance")
SESSIONS = {
    "session": "term",
    "quarter": "gradingPeriod",
    "trimester": "term",
    "schoolyear": "schoolYear",
    "gradingperiod": "gradingPeriod",
    "semester": "semester",
    "term": "term",
}
ORGS = File(
    "orgs",
    needed=True,
    required=("sourcedId", "name", "type"),
    gives=(
        rows(
            "orgs",
            sourcedId=text("sourcedId"),
            name=text("name"),
            type=org_type("type"),
            parentSourcedId=text("parentSourcedId"),
        ),
    ),
)

USERS = File(
    "users",
    needed=True,
    required=("sourcedId", "username"),
    gives=(
        rows(
            "users",
            sourcedId=text("sourcedId"),
            username=text("username"),
            userIds=user_ids(AD="activeDirectoryMatchId"),
            givenName=text("givenName"),
            familyName=text("familyName"),
            email=text("email"),
            phone=text("phone"),
            sms=text("sms"),
            grades=grades("roles.grade"),
            agentSourcedIds=texts("relationships.relationshipUserSourcedId"),
            password=text("password"),
        ),
    ),
    joins=(
        Join("roles", on="sourcedId", key="userSourcedId", columns=("grade",), all_of_them=True),
        Join(
            "relationships",
            on="sourcedId",
            key="userSourcedId",
            columns=("relationshipUserSourcedId",),
            all_of_them=True,
        ),
    ),
)

ROLES = File(
    "roles",
    needed=True,
    required=("userSourcedId", "orgSourcedId", "role"),
    gives=(
        rows(
            "roles",
            userSourcedId=text("userSourcedId"),
            roleType=one_of("isPrimary", PRIMARY),
            role=role("role"),
            beginDate=iso_date("roleStartDate"),
            endDate=day_after(iso_date("roleEndDate")),
            orgSourcedId=text("orgSourcedId"),
        ),
    ),
    reads=("sessionSourcedId",),
)

# A class without a course gets a course of its own.
OWN_COURSE = derived("course", text("sourcedId"))

CLASSES = File(
    "classes",
    required=("sourcedId", "orgSourcedId", "title"),
    gives=(
        rows(
            "courses",
            where=blank("courseSourcedId"),
            derived=True,
            sourcedId=OWN_COURSE,
            title=text("title"),
            courseCode=text("code"),
            orgSourcedId=text("orgSourcedId"),
        ),
        rows(
            "classes",
            sourcedId=text("sourcedId"),
            title=text("title"),
            courseSourcedId=first(text("courseSourcedId"), OWN_COURSE),
            classCode=text("code"),
            schoolSourcedId=text("orgSourcedId"),
            termSourcedIds=texts("sessionSourcedIds"),
        ),
    ),
)

ENROLLMENTS = File(
    "enrollments",
    required=("classSourcedId", "userSourcedId", "role"),
    gives=(
        rows(
            "enrollments",
            classSourcedId=text("classSourcedId"),
            userSourcedId=text("userSourcedId"),
            role=class_role("role"),
        ),
    ),
)

COURSES = File(
    "courses",
    required=("sourcedId", "title"),
    gives=(
        rows(
            "courses",
            sourcedId=text("sourcedId"),
            schoolYearSourcedId=text("schoolYearSourcedId"),
            title=text("title"),
            courseCode=text("code"),
            grades=grades("grade"),
            orgSourcedId=text("orgSourcedId"),
            subjects=texts("subject"),
        ),
    ),
)

ACADEMIC_SESSIONS = File(
    "academicSessions",
    required=("sourcedId", "title", "type", "startDate", "endDate"),
    gives=(
        rows(
            "academicSessions",
            sourcedId=text("sourcedId"),
            title=text("title"),
            type=one_of("type", SESSIONS, "session_types"),
            startDate=iso_date("startDate"),
            endDate=day_after(iso_date("endDate")),
            schoolYear=text("schoolYear"),
        ),
    ),
)

DEMOGRAPHICS = File(
    "demographics",
    required=("userSourcedId",),
    gives=(
        rows(
            "demographics",
            races(joined(text("raceCodes"), text("ethnicityCodes"), separator=",")),
            sourcedId=text("userSourcedId"),
            birthDate=birth_date("birthDate"),
            sex=sex("sex"),
            countryOfBirthCode=text("birthCountry"),
            stateOfBirthAbbreviation=text("birthState"),
            cityOfBirth=text("birthCity"),
        ),
    ),
)

RELATIONSHIPS = File(
    "relationships",
    required=("userSourcedId", "relationshipUserSourcedId", "relationshipRole"),
    gives=(
        rows(
            "roles",
            where=filled("roles.orgSourcedId"),
            userSourcedId=text("relationshipUserSourcedId"),
            role=first(one_of("relationshipRole", FAMILY, "roles"), constant("guardian")),
            orgSourcedId=text("roles.orgSourcedId"),
        ),
    ),
    joins=(Join("roles", on="userSourcedId", key="userSourcedId", columns=("orgSourcedId",)),),
)

# Flags of people are sensitive, and not needed in a roster.
USER_FLAGS = File("userFlags", ignored=("userSourcedId", "flag"))


def _prepare(frames: Frames, dialect: ReadingOptions) -> Frames:
    """Keep the grade of each person that holds today: roles of earlier years have earlier ones."""
    if "roles" not in frames:
        return frames
    roles = frames["roles"]
    signs = _with_signs(_with_days(roles, frames.get("academicSessions"), dialect), dialect)
    best = signs.filter(pl.col("grade").is_not_null())
    for sign in SIGNS:
        best = best.filter(pl.col(sign) == pl.col(sign).min().over("userSourcedId"))
    holds = pl.col("#row").is_in(best["#row"].implode())
    return frames | {"roles": roles.with_columns(pl.when(holds).then("grade").alias("grade"))}


def _with_days(
    roles: pl.DataFrame, sessions: pl.DataFrame | None, dialect: ReadingOptions
) -> pl.DataFrame:
    """Add the first and the last day of each role: its own, or those of its session."""
    if sessions is None:
        sessions = pl.DataFrame(schema=dict.fromkeys(("sourcedId", *SESSION_DAYS), pl.String))
    days = sessions.select("sourcedId", *SESSION_DAYS).drop_nulls("sourcedId")
    rows = roles.join(
        days.unique("sourcedId", keep="first", maintain_order=True),
        left_on="sessionSourcedId",
        right_on="sourcedId",
        how="left",
        maintain_order="left",
    )
    names = zip(("#first", "#last"), ROLE_DAYS, SESSION_DAYS, strict=True)
    return rows.with_columns(
        pl.coalesce(iso_date(own).of(dialect), iso_date(other).of(dialect)).alias(name)
        for name, own, other in names
    )


def _with_signs(roles: pl.DataFrame, dialect: ReadingOptions) -> pl.DataFrame:
    """Add the `SIGNS` by which a role is better than another one; the smallest is the best.

    A role that holds today is better than one that begins later, and that than one that has ended.
    A primary role is better. The nearer of two roles that do not hold is better.
    """
    today = dialect.today
    first, last = (
        pl.col(name).str.to_date("%Y-%m-%d", strict=False) for name in ("#first", "#last")
    )
    state = pl.when(last < today).then(2).when(first > today).then(1).otherwise(0)
    distance = (
        pl.when(last < today)
        .then(pl.lit(today) - last)
        .when(first > today)
        .then(first - pl.lit(today))
        .otherwise(pl.duration())
    )
    secondary = one_of("isPrimary", PRIMARY).of(dialect).ne_missing("primary")
    values = (state, secondary, distance)
    return roles.with_columns(value.alias(name) for name, value in zip(SIGNS, values, strict=True))


LAYOUT = Layout(
    "sds_v2_1",
    "Microsoft School Data Sync V2.1",
    files=(
        ORGS,
        ACADEMIC_SESSIONS,
        COURSES,
        CLASSES,
        USERS,
        ROLES,
        ENROLLMENTS,
        DEMOGRAPHICS,
        RELATIONSHIPS,
        USER_FLAGS,
    ),
    snapshot=True,
    district=True,
    prepare=_prepare,
)
