"""Microsoft School Data Sync, version 2.1.

A drop is a full snapshot: the same files are sent every time. School years keep the number that the
drop gives them. Colleges and universities have classes, so OneRoster's word for them is school.
Source: Microsoft Learn, `sds-v2.1-csv-file-format`.
"""

from __future__ import annotations

from transforms.layouts import (
    File,
    Join,
    Layout,
    birth_date,
    blank,
    class_role,
    constant,
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
            endDate=iso_date("roleEndDate"),
            orgSourcedId=text("orgSourcedId"),
        ),
    ),
    ignored=("sessionSourcedId",),
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
            endDate=iso_date("endDate"),
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
)
