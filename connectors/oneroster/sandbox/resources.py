"""The paths that the API of a profile serves: collections, views of them, and nested lists.

Source: API reference, sections 4 and 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connectors.oneroster.profile import Collection, TargetProfile
from connectors.oneroster.sandbox.store import property_sql
from connectors.oneroster.sandbox.validation import Checks, checks_of

WRITES = ("POST", "PUT", "DELETE")
_ITEM_IS = "EXISTS (SELECT 1 FROM json_each(body, '$.{}') WHERE json_extract(value, '$.{}') = {})"
HAS_ROLE = _ITEM_IS.format("roles", "role", "'{}'")
AT_ORG = (
    "EXISTS (SELECT 1 FROM json_each(body, '$.roles') "
    "WHERE json_extract(value, '$.role') = '{}' "
    "AND json_extract(value, '$.org.sourcedId') = ?)"
)
IN_TERM = _ITEM_IS.format("terms", "sourcedId", "?")


def _refers(name: str) -> str:
    return f"{property_sql(f'{name}.sourcedId')} = ?"


def _of_type(kind: str) -> str:
    return f"{property_sql('type')} = '{kind}'"


# The ids in enrollments, including deleted enrollments: these lists contain too much (section 8).
_ENROLLED = "id IN (SELECT {} FROM records WHERE collection = 'enrollments' AND {})"
IN_SCHOOL = f"{_refers('school')} AND id = ?"
OF_USER = _ENROLLED.format(property_sql("class.sourcedId"), _refers("user"))
OF_CLASS = _ENROLLED.format(
    property_sql("user.sourcedId"), f"{{}}{_refers('class')} AND {property_sql('role')} = '{{}}'"
)
STUDENTS, TEACHERS = OF_CLASS.format("", "student"), OF_CLASS.format("", "teacher")
STUDENTS_AT = OF_CLASS.format(f"{_refers('school')} AND ", "student")
TEACHERS_AT = OF_CLASS.format(f"{_refers('school')} AND ", "teacher")
ENROLLED_AT = f"{_refers('school')} AND {_refers('class')}"
TERMS_OF_ORG = f"{_refers('org')} AND {_of_type('term')}"
PERIODS_OF_TERM = f"{_refers('parent')} AND {_of_type('gradingPeriod')}"
_OF_CLASS_WORK = "{} IN (SELECT {} FROM records WHERE collection = 'lineItems' AND {})"
IN_CLASS = _OF_CLASS_WORK.format(property_sql("lineItem.sourcedId"), "id", _refers("class"))
OF_LINE_ITEMS = _OF_CLASS_WORK.format("id", property_sql("category.sourcedId"), _refers("class"))
OF_SCHOOL = (
    f"{property_sql('class.sourcedId')} IN "
    f"(SELECT id FROM records WHERE collection = 'classes' AND {_refers('school')})"
)
# The target accepts the resources of classes, courses and users, but does not store them
# (section 8).
NOWHERE = "? IS NULL"


@dataclass(frozen=True)
class Resource:
    """A collection, or a view of one, under its own path."""

    path: str
    kind: str  # the name of one of its records in messages
    collection: Collection
    wrapper: str  # of a record in reads
    list_key: str
    put_status: int  # of the answer to a PUT
    put_body: Literal["wrapped", "bare"]  # of the answer to a PUT
    where: str = "1"  # the SQL condition for the records of a view
    fixed: dict[str, str] = field(default_factory=dict)  # values that all records of a view have
    methods: tuple[str, ...] = WRITES  # besides GET


@dataclass(frozen=True)
class Nested:
    """A list below a record."""

    path: str  # with `{}` for each id
    collection: Collection
    list_key: str
    where: str  # an SQL condition with a placeholder for each id in the path
    parent: Resource


@dataclass(frozen=True)
class Served:
    """All that an API of a profile serves.

    Attributes:
        profile: What the API is like.
        resources: The collections and the views of them.
        by_name: The same, by the name of the collection or view.
        nested: The lists below a record.
        arrays: Lists to which several records can be posted at once. Each comes with the reference
            that each id in the path stands for, or a blank.
        paths: For references: the path of each collection and the name of one of its records.
        checks: Checks of values in addition to their kinds.
    """

    profile: TargetProfile
    resources: tuple[Resource, ...]
    by_name: Mapping[str, Resource]
    nested: tuple[Nested, ...]
    arrays: tuple[tuple[Nested, tuple[str, ...]], ...]
    paths: Mapping[str, tuple[str, str]]
    checks: Checks


def derive_served(profile: TargetProfile) -> Served:
    """Derive what the API of a profile serves from its collections and views."""
    paths = {
        name: (collection.path.rstrip("/"), collection.entity.singular)
        for name, collection in profile.collections.items()
    }
    by_name = {
        name: Resource(
            *paths[name],
            collection,
            collection.wrapper,
            collection.list_key,
            collection.put_status,
            collection.put_body,
        )
        for name, collection in profile.collections.items()
    } | dict(_views(profile))
    nested = tuple(_lists(_NESTED, profile, by_name))
    arrays = tuple(
        (array, implied)
        for entry, implied in _ARRAYS
        for array in _lists([entry], profile, by_name)
    )
    return Served(
        profile, tuple(by_name.values()), by_name, nested, arrays, paths, checks_of(profile)
    )


# Views by name: the collection, the wrapper in reads, the condition, the status of the answer to a
# PUT, and the type of the records, blank if they have no type of their own.
_VIEWS: dict[str, tuple[str, str, str, int, str]] = {
    "schools": ("orgs", "org", _of_type("school"), 200, "school"),
    "terms": ("academicSessions", "term", _of_type("term"), 200, ""),
    "gradingPeriods": (
        "academicSessions",
        "gradingPeriod",
        _of_type("gradingPeriod"),
        201,
        "gradingPeriod",
    ),
    "students": ("users", "user", HAS_ROLE.format("student"), 200, ""),
    "teachers": ("users", "user", HAS_ROLE.format("teacher"), 200, ""),
}


def _views(profile: TargetProfile) -> Iterator[tuple[str, Resource]]:
    """Yield the views of a profile. They accept writes if their records have their own type."""
    for name, view in profile.views.items():
        of, wrapper, where, put_status, kind = _VIEWS[name]
        yield (
            name,
            Resource(
                view.path.rstrip("/"),
                name.removesuffix("s"),
                profile.collections[of],
                wrapper,
                view.list_key,
                put_status,
                "bare",
                where,
                {"type": kind} if kind else {},
                WRITES if kind else (),
            ),
        )


# A list below a record: its path, the collection, the key of the list, the condition, and a
# collection of the same service.
_List = tuple[str, str, str, str, str]


def _lists(
    entries: Sequence[_List], profile: TargetProfile, by_name: Mapping[str, Resource]
) -> Iterator[Nested]:
    """Yield the lists whose service, collection and parent a profile has."""
    for path, of, list_key, where, beside in entries:
        parent = by_name.get(path.removeprefix("resources/").partition("/")[0])
        if of in profile.collections and beside in profile.collections and parent:
            service = profile.collections[beside].path.rstrip("/").rpartition("/")[0]
            yield Nested(f"{service}/{path}", profile.collections[of], list_key, where, parent)


def _rostered(path: str, of: str, list_key: str, where: str) -> _List:
    return path, of, list_key, where, "orgs"


def _graded(path: str, of: str, where: str) -> _List:
    return path, of, of, where, "lineItems"


# In the documentation the lists of a class have the keys `students` and `teachers`; the API answers
# with `users` (section 8).
_NESTED: tuple[_List, ...] = (
    _rostered("schools/{}/classes", "classes", "classes", _refers("school")),
    _rostered("schools/{}/courses", "courses", "courses", _refers("org")),
    _rostered("schools/{}/enrollments", "enrollments", "enrollments", _refers("school")),
    _rostered("schools/{}/students", "users", "users", AT_ORG.format("student")),
    _rostered("schools/{}/teachers", "users", "users", AT_ORG.format("teacher")),
    _rostered("schools/{}/terms", "academicSessions", "terms", TERMS_OF_ORG),
    _rostered("schools/{}/classes/{}/enrollments", "enrollments", "enrollments", ENROLLED_AT),
    _rostered("schools/{}/classes/{}/students", "users", "users", STUDENTS_AT),
    _rostered("schools/{}/classes/{}/teachers", "users", "users", TEACHERS_AT),
    _rostered("classes/{}/students", "users", "users", STUDENTS),
    _rostered("classes/{}/teachers", "users", "users", TEACHERS),
    _rostered("courses/{}/classes", "classes", "classes", _refers("course")),
    _rostered("terms/{}/classes", "classes", "classes", IN_TERM),
    _rostered("terms/{}/gradingPeriods", "academicSessions", "gradingPeriods", PERIODS_OF_TERM),
    _rostered("students/{}/classes", "classes", "classes", OF_USER),
    _rostered("teachers/{}/classes", "classes", "classes", OF_USER),
    _rostered("users/{}/classes", "classes", "classes", OF_USER),
    _graded("classes/{}/categories", "categories", OF_LINE_ITEMS),
    _graded("classes/{}/lineItems", "lineItems", _refers("class")),
    _graded("classes/{}/lineItems/{}/results", "results", f"{IN_CLASS} AND {_refers('lineItem')}"),
    _graded("classes/{}/results", "results", IN_CLASS),
    _graded("classes/{}/scoreScales", "scoreScales", _refers("class")),
    _graded("classes/{}/students/{}/results", "results", f"{IN_CLASS} AND {_refers('student')}"),
    _graded("schools/{}/lineItems", "lineItems", _refers("school")),
    _graded("schools/{}/scoreScales", "scoreScales", OF_SCHOOL),
    *(
        (f"resources/{name}/{{}}/resources", "resources", "resources", NOWHERE, "resources")
        for name in ("classes", "courses", "users")
    ),
)
# Lists to which several records can be posted at once, and the reference that each id in the path
# stands for, or a blank.
_ARRAYS: tuple[tuple[_List, tuple[str, ...]], ...] = (
    (_graded("lineItems/{}/results", "results", _refers("lineItem")), ("lineItem",)),
    (_graded("classes/{}/lineItems", "lineItems", _refers("class")), ("class",)),
    (_graded("schools/{}/lineItems", "lineItems", _refers("school")), ("school",)),
    (_graded("classes/{}/academicSessions/{}/results", "results", IN_CLASS), ("class", "")),
)
