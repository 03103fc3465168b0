"""Views of collections, and lists and requests below a record (table 4)."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.records import ref, session, user

VIEWS = [
    ("schools", "orgs", "org", "school"),
    ("terms", "terms", "term", "term"),
    ("gradingPeriods", "gradingPeriods", "gradingPeriod", "period"),
    ("students", "users", "user", "student"),
    ("teachers", "users", "user", "teacher"),
]


@pytest.mark.parametrize(("path", "list_key", "wrapper", "sourced_id"), VIEWS)
def test_a_view_has_its_own_wrappers(
    api: httpx.Client, path: str, list_key: str, wrapper: str, sourced_id: str
) -> None:
    """In lists and in single reads, in both spellings."""
    for slash in ("", "/"):
        body = api.get(path + slash).json()
        assert (1, [sourced_id]) == (
            body["totalCount"],
            [record["sourcedId"] for record in body[list_key]],
        )
        assert sourced_id == api.get(f"{path}/{sourced_id}{slash}").json()[wrapper]["sourcedId"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("schools/district", "School"),
        ("terms/year", "Term"),
        ("gradingPeriods/term", "Grading period"),
        ("students/teacher", "Student"),
        ("teachers/student", "Teacher"),
        ("academicSessions/x", "Academic session"),
    ],
)
def test_what_is_not_in_a_view_is_not_found(api: httpx.Client, path: str, words: str) -> None:
    """Although the collection has it."""
    answer = api.get(path)

    assert (404, f"{words} not found.") == (answer.status_code, answer.json()["imsx_description"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("schools", (201, 200, 204)),
        ("gradingPeriods", (201, 201, 204)),
        ("terms", (405, 405, 405)),
        ("students", (405, 405, 405)),
    ],
)
def test_two_views_take_writes(api: httpx.Client, path: str, expected: tuple[int, ...]) -> None:
    """With the wrapper of the collection, and a status of their own."""
    org = {"sourcedId": "new", "name": "New School", "type": "school"}
    body = {"org": org, "academicSession": session("new", "gradingPeriod"), "user": user("new")}

    answers = [
        api.post(path, json=body),
        api.put(f"{path}/new", json=body),
        api.delete(f"{path}/new"),
    ]
    assert expected == tuple(answer.status_code for answer in answers)


@pytest.mark.parametrize(
    ("path", "wrapper"), [("schools", "org"), ("gradingPeriods", "academicSession")]
)
def test_a_view_takes_its_own_type_only(api: httpx.Client, path: str, wrapper: str) -> None:
    """The type is a constant there."""
    body = {wrapper: session("new", "term", name="x")}

    assert 422 == api.post(path, json=body).status_code


NESTED = [
    ("schools/school/classes", "classes", ["class"]),
    ("schools/school/courses", "courses", ["course"]),
    ("schools/school/enrollments", "enrollments", ["enrollment", "teaching"]),
    ("schools/school/students", "users", ["student"]),
    ("schools/school/teachers", "users", ["teacher"]),
    ("schools/school/terms", "terms", ["term"]),
    ("schools/school/classes/class/enrollments", "enrollments", ["enrollment", "teaching"]),
    ("schools/school/classes/class/students", "users", ["student"]),
    ("schools/school/classes/class/teachers", "users", ["teacher"]),
    ("classes/class/students", "users", ["student"]),
    ("classes/class/teachers", "users", ["teacher"]),
    ("courses/course/classes", "classes", ["class"]),
    ("terms/term/classes", "classes", ["class"]),
    ("terms/term/gradingPeriods", "gradingPeriods", ["period"]),
    ("students/student/classes", "classes", ["class"]),
    ("teachers/teacher/classes", "classes", ["class"]),
    ("users/student/classes", "classes", ["class"]),
]


@pytest.mark.parametrize(("path", "list_key", "expected"), NESTED)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_list_below_a_record(
    api: httpx.Client, path: str, list_key: str, expected: list[str], slash: str
) -> None:
    """With the envelope of lists; the key is the wire's, not the documentation's (section 8)."""
    body = api.get(path + slash).json()

    assert expected == [record["sourcedId"] for record in body[list_key]]
    assert len(expected) == body["totalCount"]


@pytest.mark.parametrize(("path", "list_key", "expected"), NESTED)
def test_a_list_below_a_record_is_a_list(
    api: httpx.Client, path: str, list_key: str, expected: list[str]
) -> None:
    """It takes filters, and needs its record."""
    text = f"sourcedId='{expected[0]}' AND status='active'"

    assert [{"sourcedId": expected[0]}] == api.get(
        path, params={"filter": text, "fields": "sourcedId"}
    ).json()[list_key]
    assert 404 == api.get(path.replace(f"/{path.split('/')[1]}/", "/unknown/", 1)).status_code


def test_a_class_is_looked_for_in_its_school(api: httpx.Client) -> None:
    """A class of no school, or of another one, is not found there."""
    answer = api.get("schools/school/classes/unknown/students")

    assert (404, "School or class not found.") == (
        answer.status_code,
        answer.json()["imsx_description"],
    )


def test_a_class_reports_deleted_enrollments(api: httpx.Client) -> None:
    """Its lists tell too much (section 8)."""
    api.delete("enrollments/enrollment")

    assert ["student"] == [
        record["sourcedId"] for record in api.get("classes/class/students").json()["users"]
    ]


@pytest.mark.parametrize(("path", "role"), [("students", "student"), ("teachers", "teacher")])
def test_a_person_is_put_into_a_class(api: httpx.Client, path: str, role: str) -> None:
    """An enrollment, whose role and class the path says."""
    answer = api.post(
        f"classes/class/{path}", json={"enrollment": {"user": ref("parent"), "primary": True}}
    )

    record = api.get(f"enrollments/{answer.json()['sourcedIdPairs']['allocatedSourcedId']}").json()[
        "enrollment"
    ]
    assert (201, role, "class", "parent", "true") == (
        answer.status_code,
        record["role"],
        record["class"]["sourcedId"],
        record["user"]["sourcedId"],
        record["primary"],
    )


def test_nobody_is_put_into_no_class(api: httpx.Client) -> None:
    """Class and user must be there, and a user must be named."""
    answers = [
        api.post("classes/unknown/students", json={"enrollment": {"user": ref("student")}}),
        api.post("classes/class/students", json={"enrollment": {"user": ref("nobody")}}),
        api.post("classes/class/students", json={"enrollment": {}}),
    ]

    assert [404, 404, 422] == [answer.status_code for answer in answers]


def test_a_grading_period_is_added_to_a_term(api: httpx.Client) -> None:
    """The answer is the whole record, unlike every other POST (section 2.6)."""
    answer = api.post(
        "terms/term/gradingPeriods", json={"academicSession": session("q2", "gradingPeriod")}
    )

    record = answer.json()["academicSession"]
    assert (201, "q2", "term") == (
        answer.status_code,
        record["sourcedId"],
        record["parent"]["sourcedId"],
    )


def test_agents_are_added_and_taken_away(api: httpx.Client) -> None:
    """Both sides show it; adding twice adds once."""
    for _ in range(2):
        assert (
            200 == api.post("users/student/agents", json={"agentSourcedId": "teacher"}).status_code
        )

    assert ["parent", "teacher"] == [
        agent["sourcedId"] for agent in api.get("users/student/agents").json()["agents"]
    ]
    assert ["student"] == [
        one["sourcedId"] for one in api.get("users/teacher/agentFor").json()["users"]
    ]
    assert 200 == api.delete("users/student/agents/teacher").status_code
    assert [] == api.get("users/teacher/agentFor").json()["users"]


def test_agents_are_users(api: httpx.Client) -> None:
    """As is whom they act for."""
    answers = [
        api.post("users/student/agents", json={"agentSourcedId": "nobody"}),
        api.post("users/nobody/agents", json={"agentSourcedId": "parent"}),
        api.post("users/student/agents", json={}),
        api.get("users/nobody/agentFor"),
    ]

    assert [404, 404, 422, 404] == [answer.status_code for answer in answers]


@pytest.mark.parametrize(("sourced_id", "sex"), [("student", "female"), ("teacher", None)])
def test_a_user_is_read_with_demographics(
    api: httpx.Client, sourced_id: str, sex: str | None
) -> None:
    """Null where there are none (appendix B)."""
    body = api.get(f"users/{sourced_id}/demographics").json()["user"]

    assert sourced_id == body["sourcedId"]
    assert sex == (body["demographics"] or {}).get("sex")
