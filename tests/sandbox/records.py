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
    return {
        "sourcedId": sourced_id,
        "enabledUser": True,
        "givenName": "Robin",
        "familyName": "Rimu",
        "roles": roles,
        "email": f"{sourced_id}@example.edu",
        "primaryOrg": ref("school"),
        "grades": ["05", 5, "-1"],
        **more,
    }


def session(sourced_id: str, kind: str, **more: Any) -> Json:
    """Write an academic session of the school."""
    return {
        "sourcedId": sourced_id,
        "status": "active",
        "title": kind,
        "type": kind,
        "startDate": "2026-08-15",
        "endDate": "2027-01-15",
        "schoolYear": "2027",
        "org": ref("school"),
        **more,
    }


ORG: Json = {
    "sourcedId": "school",
    "name": "Kōwhai School",
    "type": "school",
    "parent": ref("district"),
}
COURSE: Json = {"sourcedId": "course", "status": "active", "title": "Mathematics 5", "courseCode": "M5", "org": ref("school"),
                "grades": ["5"], "subjects": ["Math"],
                "schoolYear": {"href": "/years/year", "sourcedId": "year", "type": "academicSession"}}  # fmt: skip
CLASS: Json = {"sourcedId": "class", "title": "Mathematics 5A", "classType": "scheduled", "course": ref("course"),
               "org": ref("school"), "terms": [ref("term")]}  # fmt: skip
ENROLLMENT: Json = {"sourcedId": "enrollment", "role": "student", "user": ref("student"), "class": ref("class"),
                    "beginDate": "2026-08-15"}  # fmt: skip

COMPONENT: Json = {"sourcedId": "unit", "status": "active", "title": "Unit 1", "course": ref("course"), "sortOrder": 1,
                   "parent": None, "courseComponent": None, "prerequisites": ["entry"], "prerequisiteCriteria": "ALL",
                   "unlockDate": "2026-09-01T05:00:00.000Z"}  # fmt: skip
RESOURCE: Json = {"sourcedId": "video", "status": "active", "title": "Adding", "vendorResourceId": "v-1", "importance": "primary",
                  "metadata": {"type": "video", "url": "https://media.example.edu/adding"}}  # fmt: skip
LINK: Json = {"sourcedId": "link", "status": "active", "title": "Adding", "courseComponent": ref("unit"), "resource": ref("video"),
              "sortOrder": 1, "lessonType": "quiz"}  # fmt: skip
SCALE: Json = {"sourcedId": "scale", "status": "active", "title": "Letters", "type": "letter", "class": ref("class"), "course": ref("course"),
               "scoreScaleValue": [{"itemValueLHS": "A", "itemValueRHS": "90"}, {"itemValueLHS": "B", "itemValueRHS": "80"}]}  # fmt: skip
LINE_ITEM: Json = {"sourcedId": "sheet", "status": "active", "title": "Homework 1", "assignDate": "2026-09-01T05:00:00.000Z",
                   "dueDate": "2026-09-09T04:59:59.000Z", "class": ref("class"), "school": ref("school"), "category": ref("homework"),
                   "academicSession": ref("term"), "resultValueMin": 0, "resultValueMax": 10, "scoreScale": ref("scale"),
                   "learningObjectiveSet": [{"source": "unknown", "learningObjectiveIds": ["add"]}]}  # fmt: skip
RESULT: Json = {"sourcedId": "mark", "status": "active", "lineItem": ref("sheet"), "student": ref("student"), "class": ref("class"),
                "scoreStatus": "fully graded", "score": 9.5, "scoreDate": "2026-09-10T05:00:00.000Z", "late": "true"}  # fmt: skip
ASSESSMENT: Json = {"sourcedId": "test", "status": "active", "title": "Unit test", "course": ref("course"), "component": ref("unit"),
                    "componentResource": ref("link"), "resultValueMax": 100}  # fmt: skip
ASSESSED: Json = {"sourcedId": "grade", "status": "active", "assessmentLineItem": ref("test"), "student": ref("student"),
                  "scoreStatus": "fully graded", "score": 97, "scoreDate": "2026-09-10T05:00:00.000Z"}  # fmt: skip

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
    ("courses/components", "courseComponent", COMPONENT),
    ("../../resources/v1p2/resources", "resource", RESOURCE),
    ("courses/component-resources", "componentResource", LINK),
    ("../../gradebook/v1p2/categories", "category", {"sourcedId": "homework", "status": "active", "title": "Homework", "weight": 40}),
    ("../../gradebook/v1p2/scoreScales", "scoreScale", SCALE),
    ("../../gradebook/v1p2/lineItems", "lineItem", LINE_ITEM),
    ("../../gradebook/v1p2/results", "result", RESULT),
    ("../../gradebook/v1p2/assessmentLineItems", "assessmentLineItem", ASSESSMENT),
    ("../../gradebook/v1p2/assessmentResults", "assessmentResult", ASSESSED),
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
    "courseComponents": COMPONENT
    | {"sourcedId": "new", "parent": ref("unit"), "courseComponent": ref("unit")},
    "resources": RESOURCE | {"sourcedId": "new"},
    "componentResources": LINK | {"sourcedId": "new"},
    "categories": {"sourcedId": "new", "status": "active", "title": "Tests", "weight": 60},
    "scoreScales": SCALE | {"sourcedId": "new"},
    "lineItems": LINE_ITEM | {"sourcedId": "new"},
    "results": RESULT | {"sourcedId": "new"},
    "assessmentLineItems": ASSESSMENT
    | {"sourcedId": "new", "parentAssessmentLineItem": ref("test")},
    "assessmentResults": ASSESSED | {"sourcedId": "new"},
}
