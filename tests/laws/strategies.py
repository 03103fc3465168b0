"""Rosters of any shape, derived from the schemas, and the dirt that real drops have."""

from __future__ import annotations

import copy
from collections.abc import Callable

from hypothesis import strategies as st

from tests.rosters import Row, Rows
from transforms.schemas import ENTITIES, Column

CARRIED = (
    "orgs", "academicSessions", "users", "demographics", "courses", "classes", "enrollments", "courseComponents", "resources",
    "componentResources", "categories", "lineItems", "results", "assessmentLineItems", "assessmentResults",
)  # fmt: skip
# Few and short draws: a whole district has to fit into one example.
ODD = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=4
).map(lambda text: f"N{text}")
NAMES = (
    st.sampled_from(["Ana", "O'Brien", "Núñez-Alder", "=1+1", "a,b", 'say "x"', "漢字", "00123"])
    | ODD
)
FREE: dict[str, st.SearchStrategy[str]] = {
    "text": NAMES,
    "texts": st.sampled_from(["1", "1,2", "A B,C"]),
    "boolean": st.sampled_from(["true", "false"]),
    "date": st.sampled_from(["2026-08-15", "2027-01-15", "2010-02-28"]),
    "integer": st.sampled_from(["0", "7", "-1"]),
    "number": st.sampled_from(["0", "9.5", "100"]),
    "year": st.sampled_from(["2026", "2027"]),
    "user_ids": st.sampled_from(["{LDAP:12}", "{LDAP:12},{LTI:x y}"]),
}
# What the target takes only in a form of its own, or what hangs together.
FIXED: dict[tuple[str, str], st.SearchStrategy[str]] = {
    ("users", "email"): st.sampled_from(["ana@example.edu", "bo@example.edu", ""]),
    ("users", "password"): st.just(""),
    ("users", "grades"): st.sampled_from(["", "05", "KG", "10,11"]),
    ("courses", "grades"): st.sampled_from(["", "05"]),
    ("classes", "grades"): st.sampled_from(["", "05"]),
    ("courses", "subjects"): st.sampled_from(["", "Math"]),
    ("courses", "subjectCodes"): st.just(""),
    ("classes", "subjects"): st.just(""),
    ("classes", "subjectCodes"): st.just(""),
    # What is over stays, whatever vanishes.
    ("academicSessions", "endDate"): st.sampled_from(["2099-01-15", "2099-06-15"]),
    ("enrollments", "endDate"): st.sampled_from(["", "2099-01-15"]),
    ("resources", "roles"): st.sampled_from(["", "student"]),
    ("lineItems", "resultValueMin"): st.just("0"),
    ("assessmentLineItems", "resultValueMin"): st.just("0"),
    ("lineItems", "resultValueMax"): st.sampled_from(["", "0", "10"]),
    ("assessmentLineItems", "resultValueMax"): st.sampled_from(["", "100"]),
}


def cell(entity: str, column: Column) -> st.SearchStrategy[str] | None:
    """Give a strategy for a column's values; None for what is set by the roster's shape."""
    if (entity, column.name) in FIXED:
        return FIXED[(entity, column.name)]
    if column.name in ("sourcedId", "status", "dateLastModified", "type") or column.refers:
        return None
    if column.values and column.kind == "enum":
        return st.sampled_from(column.values)
    return FREE.get(column.kind)


@st.composite
def rows_of(draw: st.DrawFn, /, entity: str, sourced_id: str, **fixed: str) -> Row:
    """Draw one row: what is required, and some of what is not."""
    row = {"sourcedId": sourced_id}
    strategies = {
        column: cell(entity, column)
        for column in ENTITIES[entity].current
        if column.name not in fixed
    }
    free = {
        column.name: strategy for column, strategy in strategies.items() if strategy is not None
    }
    optional = sorted(
        column.name
        for column, strategy in strategies.items()
        if strategy is not None and not column.required
    )
    some = draw(st.sets(st.sampled_from(optional), max_size=2)) if optional else set()
    for name, strategy in free.items():
        if name not in optional or name in some:
            row[name] = draw(strategy)
    return row | fixed


@st.composite
def rosters(draw: st.DrawFn) -> Rows:
    """Draw a small, clean district."""
    schools = [f"s{n}" for n in range(draw(st.integers(1, 2)))]
    users = [f"u{n}" for n in range(draw(st.integers(1, 4)))]
    classes = [f"c{n}" for n in range(draw(st.integers(1, 2)))]
    one = st.sampled_from
    rows: Rows = {
        "orgs": [
            draw(rows_of("orgs", "d", type="district")),
            *(
                draw(rows_of("orgs", school, type="school", parentSourcedId="d"))
                for school in schools
            ),
        ],
        "academicSessions": [draw(rows_of("academicSessions", "t", type="term"))],
        "users": [
            draw(
                rows_of(
                    "users",
                    user,
                    primaryOrgSourcedId=draw(one(["", *schools])),
                    agentSourcedIds=draw(one(["", *users])),
                )
            )
            for user in users
        ],
        "roles": [
            draw(
                rows_of(
                    "roles",
                    f"r-{user}",
                    userSourcedId=user,
                    orgSourcedId=draw(one(schools)),
                    roleType="primary",
                    role=draw(one(["student", "teacher", "parent"])),
                )
            )
            for user in users
        ],
        "demographics": [
            draw(rows_of("demographics", user, sex=draw(one(["", "male", "female"]))))
            for user in draw(st.lists(one(users), unique=True))
        ],
        "courses": [draw(rows_of("courses", "co", orgSourcedId="d"))],
        "classes": [
            draw(
                rows_of(
                    "classes",
                    name,
                    courseSourcedId="co",
                    schoolSourcedId=draw(one(schools)),
                    termSourcedIds="t",
                )
            )
            for name in classes
        ],
        "enrollments": [
            draw(
                rows_of(
                    "enrollments",
                    f"e{n}",
                    classSourcedId=draw(one(classes)),
                    userSourcedId=draw(one(users)),
                    schoolSourcedId=draw(one(schools)),
                )
            )
            for n in range(draw(st.integers(0, 4)))
        ],
    }
    return rows | (draw(learning(users, classes, schools)) if draw(st.booleans()) else {})


@st.composite
def learning(draw: st.DrawFn, /, users: list[str], classes: list[str], schools: list[str]) -> Rows:
    """Draw what a course is made of, and a gradebook."""
    one = st.sampled_from
    names = [f"m{n}" for n in range(draw(st.integers(1, 3)))]
    # A component may hang on any that comes before it.
    parents = [draw(one(["", *names[:place]])) for place in range(len(names))]
    rows: Rows = {
        "courseComponents": [
            draw(rows_of("courseComponents", name, courseSourcedId="co", parentSourcedId=parent))
            for name, parent in zip(names, parents, strict=True)
        ],
        "resources": [draw(rows_of("resources", "video", title=draw(NAMES)))],
        "componentResources": [
            draw(
                rows_of(
                    "componentResources",
                    f"l{n}",
                    courseComponentSourcedId=draw(one(names)),
                    resourceSourcedId="video",
                )
            )
            for n in range(draw(st.integers(0, 2)))
        ],
        "categories": [draw(rows_of("categories", "homework"))],
        "lineItems": [
            draw(
                rows_of(
                    "lineItems",
                    "work",
                    classSourcedId=draw(one(classes)),
                    schoolSourcedId=draw(one(schools)),
                    categorySourcedId="homework",
                    academicSessionSourcedId="t",
                )
            )
        ],
        "results": [
            draw(
                rows_of("results", f"mark-{user}", lineItemSourcedId="work", studentSourcedId=user)
            )
            for user in draw(st.lists(one(users), max_size=2, unique=True))
        ],
        "assessmentLineItems": [
            draw(
                rows_of(
                    "assessmentLineItems",
                    "test",
                    courseSourcedId="co",
                    courseComponentSourcedId=draw(one(names)),
                )
            )
        ],
        "assessmentResults": [
            draw(
                rows_of(
                    "assessmentResults",
                    f"grade-{user}",
                    assessmentLineItemSourcedId="test",
                    studentSourcedId=user,
                )
            )
            for user in draw(st.lists(one(users), max_size=1))
        ],
    }
    return {name: table for name, table in rows.items() if table}


Dirt = Callable[[Rows], Rows]


@st.composite
def dirt(draw: st.DrawFn) -> Dirt:
    """Draw something that goes wrong with one row of a drop."""
    entity = draw(st.sampled_from([*CARRIED, "roles"]))
    place = draw(st.integers(0, 3))
    damage = draw(st.sampled_from(sorted(DAMAGES)))

    def spoil(rows: Rows) -> Rows:
        rows = copy.deepcopy(rows)
        if place < len(rows.get(entity, [])):
            DAMAGES[damage](rows, entity, place)
        return rows

    return spoil


def _blank(rows: Rows, entity: str, place: int) -> None:
    required = [column.name for column in ENTITIES[entity].current if column.required]
    rows[entity][place][required[place % len(required)]] = ""


def _dangle(rows: Rows, entity: str, place: int) -> None:
    references = [column.name for column in ENTITIES[entity].references] or ["sourcedId"]
    rows[entity][place][references[place % len(references)]] = "nowhere"


def _repeat(rows: Rows, entity: str, place: int) -> None:
    rows[entity].append(dict(rows[entity][place]))


def _conflict(rows: Rows, entity: str, place: int) -> None:
    rows[entity].append(rows[entity][place] | {"status": "active"})


def _bury(rows: Rows, entity: str, place: int) -> None:
    rows[entity][place]["status"] = "tobedeleted"


def _remove(rows: Rows, entity: str, place: int) -> None:
    del rows[entity][place]


def _misspell(rows: Rows, entity: str, place: int) -> None:
    rows[entity][place]["sourcedId"] += " !"


DAMAGES: dict[str, Callable[[Rows, str, int], None]] = {
    "blank": _blank, "dangle": _dangle, "repeat": _repeat, "conflict": _conflict, "bury": _bury, "remove": _remove, "misspell": _misspell,
}  # fmt: skip
