"""Apple School Manager.

A drop always has all six files, so it is a full snapshot. Unlike in RFC 4180, a backslash escapes
quotes and line breaks inside cells. There are no terms. Staff are teachers of the classes that name
them. Other staff are presumed to be aides, unless the feed file has another role for `staff` in
[source.words.roles]. Source: Apple School Manager User Guide, templates.
"""

from __future__ import annotations

from transforms.layouts import (
    File,
    Join,
    Layout,
    Rows,
    constant,
    first,
    grades,
    role,
    rows,
    text,
)

PLACES = ("location_id", *(f"location_id_{number}" for number in range(2, 16)))
INSTRUCTORS = ("instructor_id", *(f"instructor_id_{number}" for number in range(2, 16)))
PERSON = {
    "sourcedId": text("person_id"),
    "primaryOrgSourcedId": text("location_id"),
    "identifier": text("person_number"),
    "givenName": text("first_name"),
    "middleName": text("middle_name"),
    "familyName": text("last_name"),
    "email": text("email_address"),
    "username": text("sis_username"),
}


def _roles(word: str, *, presumed: bool = False) -> tuple[Rows, ...]:
    return tuple(
        rows(
            "roles",
            given=place,
            presumed=presumed,
            userSourcedId=text("person_id"),
            orgSourcedId=text(place),
            role=role(constant(word)),
        )
        for place in PLACES
    )


def _teacher(column: str, primary: str) -> Rows:
    return rows(
        "enrollments",
        given=column,
        classSourcedId=text("class_id"),
        userSourcedId=text(column),
        schoolSourcedId=text("location_id"),
        role=constant("teacher"),
        primary=constant(primary),
    )


LOCATIONS = File(
    "locations",
    needed=True,
    required=("location_id", "location_name"),
    gives=(
        rows(
            "orgs",
            sourcedId=text("location_id"),
            name=text("location_name"),
            type=constant("school"),
        ),
    ),
)

STUDENTS = File(
    "students",
    needed=True,
    required=("person_id", "first_name", "last_name", "location_id"),
    gives=(rows("users", PERSON, grades=grades("grade_level")), *_roles("student")),
    ignored=("password_policy",),
)

STAFF = File(
    "staff",
    needed=True,
    required=("person_id", "first_name", "last_name", "location_id"),
    gives=(rows("users", PERSON), *_roles("staff", presumed=True)),
)

COURSES = File(
    "courses",
    needed=True,
    required=("course_id", "location_id"),
    gives=(
        rows(
            "courses",
            sourcedId=text("course_id"),
            title=first(text("course_name"), text("course_number"), text("course_id")),
            courseCode=text("course_number"),
            orgSourcedId=text("location_id"),
        ),
    ),
)

CLASSES = File(
    "classes",
    needed=True,
    required=("class_id", "course_id", "location_id"),
    gives=(
        rows(
            "classes",
            sourcedId=text("class_id"),
            title=first(
                text("class_display_name"),
                text("courses.course_name"),
                text("class_number"),
                text("class_id"),
            ),
            courseSourcedId=text("course_id"),
            classCode=text("class_number"),
            schoolSourcedId=text("location_id"),
        ),
        *(
            _teacher(column, "true" if column == "instructor_id" else "false")
            for column in INSTRUCTORS
        ),
    ),
    joins=(Join("courses", on="course_id", key="course_id", columns=("course_name",)),),
)

ROSTERS = File(
    "rosters",
    needed=True,
    required=("roster_id", "class_id", "student_id"),
    gives=(
        rows(
            "enrollments",
            sourcedId=text("roster_id"),
            classSourcedId=text("class_id"),
            userSourcedId=text("student_id"),
            role=constant("student"),
        ),
    ),
)

LAYOUT = Layout(
    "apple_school_manager",
    "Apple School Manager",
    files=(LOCATIONS, STUDENTS, STAFF, COURSES, CLASSES, ROSTERS),
    snapshot=True,
    district=True,
    roles_from_enrollments=True,
    escape="\\",
)
