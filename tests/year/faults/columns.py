"""Where each layout says what: the files and columns of ids, names and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Meaning = Literal[
    "person",
    "seated",
    "class",
    "school",
    "given",
    "family",
    "username",
    "email",
    "number",
    "grade",
    "session start",
    "session end",
    "title",
    "teacher",
    "taught class",
    "enrollment class",
]
Places = Mapping[str, tuple[tuple[str, str], ...]]


def _each(files: tuple[str, ...], column: str) -> tuple[tuple[str, str], ...]:
    return tuple((file, column) for file in files)


ONEROSTER: Places = {
    "person": (("users.csv", "sourcedId"), ("roles.csv", "userSourcedId"), ("enrollments.csv", "userSourcedId"), ("demographics.csv", "sourcedId")),
    "seated": (("enrollments.csv", "userSourcedId"),),
    "class": (("classes.csv", "sourcedId"), ("enrollments.csv", "classSourcedId")),
    "enrollment class": (("enrollments.csv", "classSourcedId"),),
    "school": (("orgs.csv", "sourcedId"), ("users.csv", "primaryOrgSourcedId"), ("roles.csv", "orgSourcedId"), ("courses.csv", "orgSourcedId"), *_each(("classes.csv", "enrollments.csv"), "schoolSourcedId")),
    "given": (("users.csv", "givenName"),),
    "family": (("users.csv", "familyName"),),
    "username": (("users.csv", "username"),),
    "email": (("users.csv", "email"),),
    "number": (("users.csv", "identifier"),),
    "grade": (("users.csv", "grades"),),
    "title": (("classes.csv", "title"),),
    "session start": (("academicSessions.csv", "startDate"),),
    "session end": (("academicSessions.csv", "endDate"),),
}  # fmt: skip
CLEVER: Places = {
    "person": (("students.csv", "Student_id"), ("teachers.csv", "Teacher_id"), ("staff.csv", "Staff_id"), ("sections.csv", "Teacher_id"), ("sections.csv", "Teacher_2_id"), ("enrollments.csv", "Student_id")),
    "seated": (("enrollments.csv", "Student_id"),),
    "class": _each(("sections.csv", "enrollments.csv"), "Section_id"),
    "enrollment class": (("enrollments.csv", "Section_id"),),
    "school": _each(("schools.csv", "students.csv", "teachers.csv", "staff.csv", "sections.csv", "enrollments.csv"), "School_id"),
    "given": _each(("students.csv", "teachers.csv", "staff.csv"), "First_name"),
    "family": _each(("students.csv", "teachers.csv", "staff.csv"), "Last_name"),
    "username": _each(("students.csv", "teachers.csv", "staff.csv"), "Username"),
    "email": (("students.csv", "Student_email"), ("teachers.csv", "Teacher_email"), ("staff.csv", "Staff_email")),
    "number": (("students.csv", "Student_number"), ("teachers.csv", "Teacher_number")),
    "grade": (("students.csv", "Grade"),),
    "title": (("sections.csv", "Name"),),
    "session start": (("sections.csv", "Term_start"),),
    "session end": (("sections.csv", "Term_end"),),
}  # fmt: skip
CANVAS: Places = {
    "person": _each(("users.csv", "enrollments.csv"), "user_id"),
    "seated": (("enrollments.csv", "user_id"),),
    "class": _each(("sections.csv", "enrollments.csv"), "section_id"),
    "enrollment class": (("enrollments.csv", "section_id"),),
    "school": (("accounts.csv", "account_id"), ("courses.csv", "account_id")),
    "given": (("users.csv", "first_name"),),
    "family": (("users.csv", "last_name"),),
    "username": (("users.csv", "login_id"),),
    "email": (("users.csv", "email"),),
    "number": (("users.csv", "integration_id"),),
    "grade": (),
    "title": (("sections.csv", "name"),),
    "session start": (("terms.csv", "start_date"),),
    "session end": (("terms.csv", "end_date"),),
}  # fmt: skip
PLACES: Mapping[str, Places] = {"oneroster": ONEROSTER, "clever": CLEVER, "canvas": CANVAS}
# The file in which the people are, or the students.
PEOPLE = {"oneroster": "users.csv", "clever": "students.csv", "canvas": "users.csv"}
