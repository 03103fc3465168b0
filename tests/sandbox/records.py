"""A small district as it is written to the API: one record of each collection that refers to the others."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
PREFIX = "/ims/oneroster/rostering/v1p2/"


def ref(sourced_id: str) -> Json:
    """Refer to a record."""
    return {"sourcedId": sourced_id}


def user(sourced_id: str, role: str = "student", **more: Any) -> Json:
    """Write a user with one role at the school."""
    roles = [{"roleType": "primary", "role": role, "org": ref("school")}]
    return {"sourcedId": sourced_id, "enabledUser": True, "givenName": "Robin", "familyName": "Rimu", "roles": roles,
            "email": f"{sourced_id}@example.edu", "primaryOrg": ref("school"), "grades": ["05", 5, "-1"], **more}  # fmt: skip


def session(sourced_id: str, kind: str, **more: Any) -> Json:
    """Write an academic session of the school."""
    return {"sourcedId": sourced_id, "status": "active", "title": kind, "type": kind, "startDate": "2026-08-15",
            "endDate": "2027-01-15", "schoolYear": "2027", "org": ref("school"), **more}  # fmt: skip


ORG: Json = {"sourcedId": "school", "name": "Kōwhai School", "type": "school", "parent": ref("district")}
COURSE: Json = {"sourcedId": "course", "status": "active", "title": "Mathematics 5", "courseCode": "M5", "org": ref("school"),
                "grades": ["5"], "subjects": ["Math"],
                "schoolYear": {"href": "/years/year", "sourcedId": "year", "type": "academicSession"}}  # fmt: skip
CLASS: Json = {"sourcedId": "class", "title": "Mathematics 5A", "classType": "scheduled", "course": ref("course"),
               "org": ref("school"), "terms": [ref("term")]}  # fmt: skip
ENROLLMENT: Json = {"sourcedId": "enrollment", "role": "student", "user": ref("student"), "class": ref("class"),
                    "beginDate": "2026-08-15"}  # fmt: skip

# The district, parents first: collection, wrapper on write, record.
DISTRICT: tuple[tuple[str, str, Json], ...] = (
    ("orgs", "org", {"sourcedId": "district", "name": "Larkspur Valley", "type": "district"}),
    ("orgs", "org", ORG),
    ("academicSessions", "academicSession", session("year", "schoolYear")),
    ("academicSessions", "academicSession", session("term", "term", parent=ref("year"))),
    ("academicSessions", "academicSession", session("period", "gradingPeriod", parent=ref("term"))),
    ("users", "user", user("parent", "parent")),
    ("users", "user", user("student", agents=[ref("parent")])),
    ("users", "user", user("teacher", "teacher", givenName="Toni", familyName="Tōtara")),
    ("demographics", "demographics", {"sourcedId": "student", "birthDate": "2015-04-01", "sex": "female", "asian": "true"}),
    ("courses", "course", COURSE),
    ("classes", "class", CLASS),
    ("enrollments", "enrollment", ENROLLMENT),
    ("enrollments", "enrollment", {"sourcedId": "teaching", "role": "teacher", "primary": True, "user": ref("teacher"), "class": ref("class")}),
)  # fmt: skip

# One record more of each collection, which refers to the district.
NEW: dict[str, Json] = {
    "orgs": ORG | {"sourcedId": "new"},
    "academicSessions": session("new", "term", parent=ref("year")),
    "users": user("new"),
    "demographics": {"sourcedId": "teacher", "birthDate": "1990-04-01"},
    "courses": COURSE | {"sourcedId": "new"},
    "classes": CLASS | {"sourcedId": "new"},
    "enrollments": ENROLLMENT | {"sourcedId": "new"},
}
