"""What the API serves under which path: the collections, the views of them, and the lists below a record.

Source: API reference, sections 4 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connectors.oneroster.collections import COLLECTIONS, Collection

WRITES = ("POST", "PUT", "DELETE")
HAS_ROLE = "EXISTS (SELECT 1 FROM json_each(body, '$.roles') WHERE json_extract(value, '$.role') = '{}')"
OF_CLASS = "id IN (SELECT json_extract(body, '$.user.sourcedId') FROM records WHERE collection = 'enrollments' AND json_extract(body, '$.class.sourcedId') = ? AND json_extract(body, '$.role') = '{}')"
OF_USER = "id IN (SELECT json_extract(body, '$.class.sourcedId') FROM records WHERE collection = 'enrollments' AND json_extract(body, '$.user.sourcedId') = ?)"
IN_SCHOOL = "json_extract(body, '$.class.sourcedId') IN (SELECT id FROM records WHERE collection = 'classes' AND json_extract(body, '$.school.sourcedId') = ?)"
AT_ORG = "EXISTS (SELECT 1 FROM json_each(body, '$.roles') WHERE json_extract(value, '$.role') = '{}' AND json_extract(value, '$.org.sourcedId') = ?)"
IN_TERM = "EXISTS (SELECT 1 FROM json_each(body, '$.terms') WHERE json_extract(value, '$.sourcedId') = ?)"


@dataclass(frozen=True)
class Resource:
    """A collection, or a view of one, under its own path; `wrapper` is that of reads, `fixed` what its records are by nature."""

    path: str
    collection: Collection
    wrapper: str
    list_key: str
    put_status: int
    put_body: Literal["wrapped", "bare"]
    where: str = "1"
    fixed: dict[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = WRITES


@dataclass(frozen=True)
class Nested:
    """A list below a record: `where` has a place for each id in the path. `{}` in the path stands for an id."""

    path: str
    collection: Collection
    list_key: str
    where: str
    parent: str


def _own(collection: Collection) -> Resource:
    return Resource(collection.path.rstrip("/"), collection, collection.wrapper, collection.list_key, collection.put_status, collection.put_body)  # fmt: skip


def _view(name: str, of: str, wrapper: str, list_key: str, where: str, **more: object) -> Resource:
    return Resource(f"rostering/v1p2/{name}", COLLECTIONS[of], wrapper, list_key, 200, "bare", where, **more)  # type: ignore[arg-type]


def _of_type(kind: str) -> str:
    return f"json_extract(body, '$.type') = '{kind}'"


RESOURCES = (
    *map(_own, COLLECTIONS.values()),
    _view("schools", "orgs", "org", "orgs", _of_type("school"), fixed={"type": "school"}),
    _view("terms", "academicSessions", "term", "terms", _of_type("term"), methods=()),
    Resource("rostering/v1p2/gradingPeriods", COLLECTIONS["academicSessions"], "gradingPeriod", "gradingPeriods", 201, "bare",
             _of_type("gradingPeriod"), {"type": "gradingPeriod"}),
    _view("students", "users", "user", "users", HAS_ROLE.format("student"), methods=()),
    _view("teachers", "users", "user", "users", HAS_ROLE.format("teacher"), methods=()),
)  # fmt: skip


def _nested(path: str, of: str, list_key: str, where: str) -> Nested:
    parent = {"schools": "orgs", "terms": "academicSessions", "students": "users", "teachers": "users"}
    whole = path.partition("/")[0]
    return Nested(f"rostering/v1p2/{path}", COLLECTIONS[of], list_key, where, parent.get(whole, whole))


def _refers(name: str) -> str:
    return f"json_extract(body, '$.{name}.sourcedId') = ?"


# The documentation says `students` and `teachers` for the lists of a class; the wire says `users`.
NESTED = (
    _nested("schools/{}/classes", "classes", "classes", _refers("school")),
    _nested("schools/{}/courses", "courses", "courses", _refers("org")),
    _nested("schools/{}/enrollments", "enrollments", "enrollments", IN_SCHOOL),
    _nested("schools/{}/students", "users", "users", AT_ORG.format("student")),
    _nested("schools/{}/teachers", "users", "users", AT_ORG.format("teacher")),
    _nested("schools/{}/terms", "academicSessions", "terms", f"{_refers('org')} AND {_of_type('term')}"),
    _nested("schools/{}/classes/{}/enrollments", "enrollments", "enrollments", f"{IN_SCHOOL} AND {_refers('class')}"),
    _nested("schools/{}/classes/{}/students", "users", "users", f"? IS NOT NULL AND {OF_CLASS.format('student')}"),
    _nested("schools/{}/classes/{}/teachers", "users", "users", f"? IS NOT NULL AND {OF_CLASS.format('teacher')}"),
    _nested("classes/{}/students", "users", "users", OF_CLASS.format("student")),
    _nested("classes/{}/teachers", "users", "users", OF_CLASS.format("teacher")),
    _nested("courses/{}/classes", "classes", "classes", _refers("course")),
    _nested("terms/{}/classes", "classes", "classes", IN_TERM),
    _nested("terms/{}/gradingPeriods", "academicSessions", "gradingPeriods", f"{_refers('parent')} AND {_of_type('gradingPeriod')}"),
    _nested("students/{}/classes", "classes", "classes", OF_USER),
    _nested("teachers/{}/classes", "classes", "classes", OF_USER),
    _nested("users/{}/classes", "classes", "classes", OF_USER),
)  # fmt: skip
