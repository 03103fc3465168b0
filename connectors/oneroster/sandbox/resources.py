"""What the API serves under which path: the collections, the views of them, and the lists below a record.

Source: API reference, sections 4 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connectors.oneroster.collections import COLLECTIONS, Collection
from connectors.oneroster.sandbox.store import property_sql

WRITES = ("POST", "PUT", "DELETE")
HAS_ROLE = "EXISTS (SELECT 1 FROM json_each(body, '$.roles') WHERE json_extract(value, '$.role') = '{}')"
AT_ORG = "EXISTS (SELECT 1 FROM json_each(body, '$.roles') WHERE json_extract(value, '$.role') = '{}' AND json_extract(value, '$.org.sourcedId') = ?)"
IN_TERM = "EXISTS (SELECT 1 FROM json_each(body, '$.terms') WHERE json_extract(value, '$.sourcedId') = ?)"


def _refers(name: str) -> str:
    return f"{property_sql(f'{name}.sourcedId')} = ?"


def _of_type(kind: str) -> str:
    return f"{property_sql('type')} = '{kind}'"


# The ids that enrollments name, deleted ones included: these lists report too much (section 8).
_ENROLLED = "id IN (SELECT {} FROM records WHERE collection = 'enrollments' AND {})"
IN_SCHOOL = f"{_refers('school')} AND id = ?"
OF_USER = _ENROLLED.format(property_sql("class.sourcedId"), _refers("user"))
OF_CLASS = _ENROLLED.format(
    property_sql("user.sourcedId"), f"{{}}{_refers('class')} AND {property_sql('role')} = '{{}}'"
)
_OF_CLASS_WORK = "{} IN (SELECT {} FROM records WHERE collection = 'lineItems' AND {})"
IN_CLASS = _OF_CLASS_WORK.format(property_sql("lineItem.sourcedId"), "id", _refers("class"))
OF_LINE_ITEMS = _OF_CLASS_WORK.format("id", property_sql("category.sourcedId"), _refers("class"))
OF_SCHOOL = f"{property_sql('class.sourcedId')} IN (SELECT id FROM records WHERE collection = 'classes' AND {_refers('school')})"
# The target drops the resources of classes, courses and users as they are written (section 8).
NOWHERE = "? IS NULL"


@dataclass(frozen=True)
class Resource:
    """A collection, or a view of one, under its own path; `kind` names one of its records in messages.

    `wrapper` is that of reads, `where` picks the records of a view, `fixed` is what they are by nature.
    """

    path: str
    kind: str
    collection: Collection
    wrapper: str
    list_key: str
    put_status: int
    put_body: Literal["wrapped", "bare"]
    where: str = "1"
    fixed: dict[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = WRITES


@dataclass(frozen=True, eq=False)
class Nested:
    """A list below a record of `parent`: `where` has a place for each id in the path, in which `{}` stands for one."""

    path: str
    collection: Collection
    list_key: str
    where: str
    parent: Resource


def _own(one: Collection) -> Resource:
    path, kind = one.path.rstrip("/"), one.entity.singular
    return Resource(path, kind, one, one.wrapper, one.list_key, one.put_status, one.put_body)


def _view(name: str, of: str, wrapper: str, list_key: str, where: str, put_status: int = 200,
          fixed: str = "") -> Resource:  # fmt: skip
    """A view of a collection; it takes writes only if its records have a `fixed` type."""
    return Resource(f"rostering/v1p2/{name}", name.removesuffix("s"), COLLECTIONS[of], wrapper, list_key, put_status, "bare",
                    where, {"type": fixed} if fixed else {}, WRITES if fixed else ())  # fmt: skip


RESOURCES = (
    *map(_own, COLLECTIONS.values()),
    _view("schools", "orgs", "org", "orgs", _of_type("school"), fixed="school"),
    _view("terms", "academicSessions", "term", "terms", _of_type("term")),
    _view("gradingPeriods", "academicSessions", "gradingPeriod", "gradingPeriods", _of_type("gradingPeriod"), 201, "gradingPeriod"),
    _view("students", "users", "user", "users", HAS_ROLE.format("student")),
    _view("teachers", "users", "user", "users", HAS_ROLE.format("teacher")),
)  # fmt: skip
BY_NAME = {resource.path.rpartition("/")[2]: resource for resource in RESOURCES}


def _nested(path: str, of: str, list_key: str, where: str, service: str = "rostering") -> Nested:
    parent = path.removeprefix("resources/").partition("/")[0]
    return Nested(f"{service}/v1p2/{path}", COLLECTIONS[of], list_key, where, BY_NAME[parent])


def _graded(path: str, of: str, where: str) -> Nested:
    return _nested(path, of, of, where, "gradebook")


# The documentation says `students` and `teachers` for the lists of a class; the wire says `users` (section 8).
NESTED = (
    _nested("schools/{}/classes", "classes", "classes", _refers("school")),
    _nested("schools/{}/courses", "courses", "courses", _refers("org")),
    _nested("schools/{}/enrollments", "enrollments", "enrollments", _refers("school")),
    _nested("schools/{}/students", "users", "users", AT_ORG.format("student")),
    _nested("schools/{}/teachers", "users", "users", AT_ORG.format("teacher")),
    _nested("schools/{}/terms", "academicSessions", "terms", f"{_refers('org')} AND {_of_type('term')}"),
    _nested("schools/{}/classes/{}/enrollments", "enrollments", "enrollments", f"{_refers('school')} AND {_refers('class')}"),
    _nested("schools/{}/classes/{}/students", "users", "users", OF_CLASS.format(f"{_refers('school')} AND ", "student")),
    _nested("schools/{}/classes/{}/teachers", "users", "users", OF_CLASS.format(f"{_refers('school')} AND ", "teacher")),
    _nested("classes/{}/students", "users", "users", OF_CLASS.format("", "student")),
    _nested("classes/{}/teachers", "users", "users", OF_CLASS.format("", "teacher")),
    _nested("courses/{}/classes", "classes", "classes", _refers("course")),
    _nested("terms/{}/classes", "classes", "classes", IN_TERM),
    _nested("terms/{}/gradingPeriods", "academicSessions", "gradingPeriods", f"{_refers('parent')} AND {_of_type('gradingPeriod')}"),
    _nested("students/{}/classes", "classes", "classes", OF_USER),
    _nested("teachers/{}/classes", "classes", "classes", OF_USER),
    _nested("users/{}/classes", "classes", "classes", OF_USER),
    _graded("classes/{}/categories", "categories", OF_LINE_ITEMS),
    _graded("classes/{}/lineItems", "lineItems", _refers("class")),
    _graded("classes/{}/lineItems/{}/results", "results", f"{IN_CLASS} AND {_refers('lineItem')}"),
    _graded("classes/{}/results", "results", IN_CLASS),
    _graded("classes/{}/scoreScales", "scoreScales", _refers("class")),
    _graded("classes/{}/students/{}/results", "results", f"{IN_CLASS} AND {_refers('student')}"),
    _graded("schools/{}/lineItems", "lineItems", _refers("school")),
    _graded("schools/{}/scoreScales", "scoreScales", OF_SCHOOL),
    *(_nested(f"resources/{name}/{{}}/resources", "resources", "resources", NOWHERE, "resources")
      for name in ("classes", "courses", "users")),
)  # fmt: skip
_BY_PATH = {nested.path: nested for nested in NESTED}
# Lists to which several records can be posted at once, and to what each id of the path is a reference.
ARRAYS: dict[Nested, tuple[str, ...]] = {
    _graded("lineItems/{}/results", "results", _refers("lineItem")): ("lineItem",),
    _BY_PATH["gradebook/v1p2/classes/{}/lineItems"]: ("class",),
    _BY_PATH["gradebook/v1p2/schools/{}/lineItems"]: ("school",),
    _graded("classes/{}/academicSessions/{}/results", "results", IN_CLASS): ("class", ""),
}
