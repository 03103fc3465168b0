"""The ids that the API's documentation uses, as records are kept, so that its examples can be typed as they stand."""

from __future__ import annotations

ORG, STUDENT, TEACHER, COURSE, CLASS = "PLAYCADEMY", "student-123", "teacher-123", "course-123", "class-123"
COMPONENT, RESOURCE = "component-123", "resource-123"
YEAR, TERM = "school-year-2026", "term-2026-fall"
MIDNIGHT = "T00:00:00.000Z"
OF_CLASS = {"class": {"sourcedId": CLASS}, "school": {"sourcedId": ORG}, "course": {"sourcedId": COURSE}}


def _user(sourced_id: str, given: str, family: str, role: str) -> dict[str, object]:
    roles = [{"roleType": "primary", "role": role, "org": {"sourcedId": ORG}}]
    email = f"{sourced_id}@example.edu"
    return {"sourcedId": sourced_id, "givenName": given, "familyName": family, "enabledUser": "true", "email": email,
            "roles": roles, "primaryOrg": {"sourcedId": ORG}, "agents": [], "grades": ["5"] if role == "student" else []}  # fmt: skip


def _session(sourced_id: str, title: str, kind: str, end: str, parent: str | None) -> dict[str, object]:
    session: dict[str, object] = {"sourcedId": sourced_id, "title": title, "type": kind,
                                  "startDate": f"2026-08-15{MIDNIGHT}", "endDate": f"{end}{MIDNIGHT}",
                                  "schoolYear": "2027", "org": {"sourcedId": ORG}}  # fmt: skip
    return session | ({"parent": {"sourcedId": parent}} if parent else {})


SEED: dict[str, list[dict[str, object]]] = {
    "orgs": [{"sourcedId": ORG, "name": "Playcademy", "type": "school", "identifier": ORG}],
    "academicSessions": [
        _session(YEAR, "School year 2026-27", "schoolYear", "2027-06-10", None),
        _session(TERM, "Fall 2026", "term", "2027-01-15", YEAR),
    ],
    "users": [_user(STUDENT, "Sam", "Student", "student"), _user(TEACHER, "Toni", "Teacher", "teacher")],
    "courses": [{"sourcedId": COURSE, "title": "Math Grade 4", "courseCode": "MATH-G4", "grades": ["4"], "subjects": ["Math"], "org": {"sourcedId": ORG}}],
    "classes": [{"sourcedId": CLASS, "title": "Math Grade 4, Section A", "classType": "scheduled", "course": {"sourcedId": COURSE},
                 "school": {"sourcedId": ORG}, "terms": [{"sourcedId": TERM}]}],
    "courseComponents": [{"sourcedId": COMPONENT, "title": "Unit 1", "course": {"sourcedId": COURSE}, "sortOrder": 1}],
    "resources": [{"sourcedId": RESOURCE, "title": "Adding numbers", "vendorResourceId": RESOURCE, "importance": "primary",
                   "metadata": {"type": "video", "url": "https://media.example.edu/adding-numbers"}}],
    "enrollments": [
        {"sourcedId": "enrollment-123", "role": "student", "primary": "false", "user": {"sourcedId": STUDENT}, "beginDate": "2026-08-15", **OF_CLASS},
        {"sourcedId": "enrollment-124", "role": "teacher", "primary": "true", "user": {"sourcedId": TEACHER}, **OF_CLASS},
    ],
}  # fmt: skip
