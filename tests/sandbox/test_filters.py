"""The filter grammar (section 6)."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.records import user
from tests.sandbox.test_lists import ids

USERS = [
    ("familyName='Rimu'", ["parent", "student"]),
    ("familyName = 'Rimu'", ["parent", "student"]),
    ("familyName!='Rimu'", ["teacher"]),
    ("familyName~'im'", ["parent", "student"]),
    ("familyName~'TŌT'", ["teacher"]),
    ("sourcedId>'parent'", ["student", "teacher"]),
    ("sourcedId>='student'", ["student", "teacher"]),
    ("sourcedId<'student'", ["parent"]),
    ("sourcedId<='student'", ["parent", "student"]),
    ("sourcedId@'parent, teacher'", ["parent", "teacher"]),
    ("status='active' AND givenName='Toni'", ["teacher"]),
    ("givenName='Toni' OR sourcedId='parent'", ["parent", "teacher"]),
    ("givenName='Toni' OR sourcedId='parent' AND status='tobedeleted'", ["teacher"]),
    ("(givenName='Toni' OR sourcedId='parent') AND status='tobedeleted'", []),
    ("((sourcedId='parent'))", ["parent"]),
    ("enabledUser='true'", ["parent", "student", "teacher"]),
    ("grades='-1' AND roles.role='teacher'", ["teacher"]),
    ("roles.role='student'", ["student"]),
    ("roles.role!='student'", ["parent", "teacher"]),
    ("agents.sourcedId='parent'", ["student"]),
    ("primaryOrg.sourcedId='school'", ["parent", "student", "teacher"]),
    ("primaryOrg='school'", []),
    ("middleName='x'", []),
    ("middleName!='x'", ["parent", "student", "teacher"]),
    ("dateLastModified>'2026-01-01'", ["parent", "student", "teacher"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), USERS)
def test_a_filter_picks_records(api: httpx.Client, text: str, expected: list[str]) -> None:
    """Every operator, AND before OR, parentheses, lists and references."""
    assert expected == ids(api, filter=text)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("enrollments", "user.sourcedId='student' AND class.sourcedId='class'", ["enrollment"]),
        (
            "enrollments",
            "status='active' AND (role='student' OR role='teacher')",
            ["enrollment", "teaching"],
        ),
        ("enrollments", "school.sourcedId='school'", ["enrollment", "teaching"]),
        ("enrollments", "primary='false'", ["enrollment"]),
        ("classes", "course.sourcedId='course' AND terms.sourcedId='term'", ["class"]),
        ("academicSessions", "parent.sourcedId='year' AND schoolYear='2027'", ["term"]),
        ("academicSessions", "startDate='2026-08-15' AND type='term'", ["term"]),
        (
            "academicSessions",
            "startDate='2026-08-15T00:00:00.000Z' AND schoolYear=2027 AND type@'term'",
            ["term"],
        ),
        ("demographics", "asian='true'", ["student"]),
        ("courses", "subjects='Math'", ["course"]),
    ],
)
def test_a_filter_follows_one_dot(
    api: httpx.Client, path: str, text: str, expected: list[str]
) -> None:
    """References by id, in every collection, and dates in either spelling."""
    assert expected == ids(api, path, filter=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metadata.team='Red'", ["meta"]),
        ("metadata.deep.level='7'", ["meta"]),
        ("metadata.deep.level=7", ["meta"]),
        ("metadata.tags='b'", ["meta"]),
        ("metadata.team='Blue'", []),
        ("metadata.isTestUser='true'", []),
    ],
)
def test_a_filter_looks_into_metadata(api: httpx.Client, text: str, expected: list[str]) -> None:
    """At any depth; a quoted boolean is found nowhere (section 6)."""
    metadata = {"team": "Red", "deep": {"level": 7}, "tags": ["a", "b"], "isTestUser": True}
    api.post("users", json={"user": user("meta", metadata=metadata)})

    assert expected == ids(api, filter=text)


def test_a_quote_is_doubled(api: httpx.Client) -> None:
    """As the official client writes it (section 6)."""
    api.post("users", json={"user": user("quote", familyName="O'Brien")})

    assert ["quote"] == ids(api, filter="familyName='O''Brien'")


@pytest.mark.parametrize(
    "text",
    [
        "user.org.sourcedId='x'",
        "shoeSize='9'",
        "familyName.sourcedId='x'",
        "familyName",
        "familyName=",
        "familyName='Rimu",
        "familyName='Rimu' AND",
        "familyName='Rimu' XOR status='active'",
        "(familyName='Rimu'",
        "familyName='Rimu')",
        "AND familyName='Rimu'",
        "familyName==='Rimu'",
        "'Rimu'",
        "'; DROP TABLE records; --",
        "(" * 400 + "status='active'" + ")" * 400,
        " OR ".join(["status='active'"] * 600),
    ],
)
def test_what_is_not_a_filter_is_refused(api: httpx.Client, text: str) -> None:
    """Status 400, in the API's words; two dots are one too many (section 6)."""
    answer = api.get("users", params={"filter": text})

    assert (400, "Error in filter query") == (
        answer.status_code,
        answer.json()["imsx_description"][:21],
    )


@pytest.mark.parametrize("word", ["true", "false"])
def test_a_boolean_must_be_quoted(api: httpx.Client, word: str) -> None:
    """Status 422 (section 6)."""
    assert 422 == api.get("users", params={"filter": f"metadata.isTestUser={word}"}).status_code


def test_a_long_filter_is_understood(api: httpx.Client) -> None:
    """Clients ask for hundreds of records at once."""
    text = " OR ".join(f"sourcedId='{number}'" for number in range(400))

    assert ["student"] == ids(api, filter=f"{text} OR sourcedId='student'")
