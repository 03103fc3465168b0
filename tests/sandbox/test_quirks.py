"""What single collections do otherwise than the standard, or than each other (sections 2 and 8)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.sandbox.records import CLASS, COURSE, ENROLLMENT, NEW, Json, ref, session, user


def read(api: httpx.Client, path: str) -> Json:
    """GET one record, without its wrapper."""
    (record,) = api.get(path).json().values()
    assert isinstance(record, dict)
    return record


def test_a_missing_reference_is_told_from_a_duplicate_by_its_words_alone(api: httpx.Client) -> None:
    """Both are a 404 for courses."""
    duplicate = api.post("courses", json={"course": COURSE})
    orphan = api.post(
        "courses", json={"course": COURSE | {"sourcedId": "new", "org": ref("nowhere")}}
    )

    assert [404, 404] == [duplicate.status_code, orphan.status_code]
    assert "course course already exists." == duplicate.json()["imsx_description"]
    assert "Org nowhere not found." == orphan.json()["imsx_description"]


@pytest.mark.parametrize("grades", [["05", "5"], [5], ["-1", "0", 13], [-1, "00"], []])
def test_grades_are_taken_in_either_spelling(api: httpx.Client, grades: list[Any]) -> None:
    """As text or number, with a zero in front or without; they are read as the enum has them."""
    assert (
        200 == api.put("users/student", json={"user": user("student", grades=grades)}).status_code
    )
    assert [str(int(grade)) for grade in grades] == read(api, "users/student")["grades"]


BROKEN = [
    ("users", "grades", ["KG"]), ("users", "grades", ["14"]), ("users", "grades", ["0-1"]), ("users", "grades", [True]),
    ("users", "grades", "5"), ("users", "grades", [5.5]), ("users", "enabledUser", "yes"), ("users", "enabledUser", 1),
    ("users", "email", "robin"), ("users", "email", "robin@example"), ("users", "email", 5), ("users", "givenName", 5),
    ("users", "userIds", [{"type": "x"}]), ("users", "userProfiles", ["x"]), ("users", "agents", [{}]), ("users", "agents", "x"),
    ("users", "primaryOrg", "school"), ("users", "roles", ["student"]), ("users", "roles", "student"),
    ("courses", "subjects", ["Mathematics"]), ("courses", "subjects", [{}]), ("courses", "schoolYear", ref("year")),
    ("classes", "classType", "ext:club"), ("classes", "terms", [{"sourcedId": ""}]),
    ("orgs", "type", "ext:club"), ("academicSessions", "type", "quarter"), ("academicSessions", "schoolYear", 2027),
    ("academicSessions", "schoolYear", "2026-27"), ("academicSessions", "startDate", "15.08.2026"),
    ("academicSessions", "startDate", 20260815), ("enrollments", "role", "aide"), ("enrollments", "beginDate", "soon"),
    ("enrollments", "metadata", {"goals": {"dailyXp": "5"}}), ("enrollments", "metadata", {"metrics": {"color": 5}}),
    ("demographics", "sex", "other"), ("demographics", "birthDate", "1.4.2015"), ("demographics", "asian", True),
]  # fmt: skip


@pytest.mark.parametrize(("collection", "name", "value"), BROKEN)
def test_values_outside_the_vocabulary_are_refused(
    api: httpx.Client, collection: str, name: str, value: object
) -> None:
    """Status 422, and the details name the property (appendix A)."""
    wrapper = {"courses": "course", "classes": "class", "demographics": "demographics"}.get(
        collection, collection[:-1]
    )
    wrapper = "academicSession" if collection == "academicSessions" else wrapper
    answer = api.post(collection, json={wrapper: NEW[collection] | {name: value}})

    (details,) = answer.json()["imsx_error_details"]
    assert (422, name) == (answer.status_code, next(iter(details)).partition(".")[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [("role", "counselor"), ("role", "districtAdministrator"), ("roleType", "main"), ("org", None)],
)
def test_roles_are_checked(api: httpx.Client, name: str, value: object) -> None:
    """By the vocabulary of the target, which is not the standard's."""
    role = {"roleType": "primary", "role": "student", "org": ref("school")} | {name: value}
    answer = api.post("users", json={"user": user("new", roles=[role])})

    assert (422, f"roles.{name}") == (
        answer.status_code,
        next(iter(answer.json()["imsx_error_details"][0])),
    )


def test_the_organisation_of_a_role_must_be_there(api: httpx.Client) -> None:
    """It is a foreign key (section 9)."""
    roles = [{"roleType": "primary", "role": "system_administrator", "org": ref("nowhere")}]

    assert 404 == api.post("users", json={"user": user("new", roles=roles)}).status_code


@pytest.mark.parametrize(
    ("name", "value"), [("agents", [ref("nowhere")]), ("primaryOrg", ref("nowhere"))]
)
def test_what_a_user_refers_to_must_be_there(api: httpx.Client, name: str, value: Any) -> None:
    """Agents are users, so that they come first."""
    assert 404 == api.post("users", json={"user": user("new", **{name: value})}).status_code


def test_demographics_are_those_of_a_user(api: httpx.Client) -> None:
    """Their id is the user's."""
    assert (
        404 == api.post("demographics", json={"demographics": {"sourcedId": "nobody"}}).status_code
    )


def test_flags_are_read_as_text(api: httpx.Client) -> None:
    """However they were written; `primary` is false by itself."""
    assert "true" == read(api, "users/student")["enabledUser"]
    assert ("false", "true") == (
        read(api, "enrollments/enrollment")["primary"],
        read(api, "enrollments/teaching")["primary"],
    )
    assert ("true", None) == (
        read(api, "demographics/student")["asian"],
        read(api, "demographics/student")["white"],
    )


def test_a_session_is_read_with_a_number_and_time_stamps(api: httpx.Client) -> None:
    """School year as text on write, dates as the database holds them."""
    api.post(
        "academicSessions",
        json={"academicSession": session("s", "term", startDate="2026-08-15T09:00:00+02:00")},
    )

    record = read(api, "academicSessions/s")
    assert (2027, "2026-08-15T07:00:00.000Z", "2027-01-15T00:00:00.000Z") == (
        record["schoolYear"],
        record["startDate"],
        record["endDate"],
    )


def test_records_in_trees_name_their_children(api: httpx.Client) -> None:
    """Orgs and sessions (appendix B)."""
    assert ["school"] == [child["sourcedId"] for child in read(api, "orgs/district")["children"]]
    assert ["term"] == [
        child["sourcedId"] for child in read(api, "academicSessions/year")["children"]
    ]


def test_a_class_is_written_with_org_and_read_with_school(api: httpx.Client) -> None:
    """A `school` that is written is an unknown property."""
    record = read(api, "classes/class")
    assert ("school", None) == (record["school"]["sourcedId"], record.get("org"))

    written = {name: value for name, value in CLASS.items() if name != "org"} | {
        "sourcedId": "new",
        "school": ref("school"),
    }
    answer = api.post("classes", json={"class": written})
    assert [{"org": "is required"}] == answer.json()["imsx_error_details"]


def test_a_class_keeps_its_course_and_school(api: httpx.Client) -> None:
    """A PUT ignores them, wherever they lead, and needs no property at all (section 2.4)."""
    answer = api.put(
        "classes/class",
        json={"class": {"title": "New", "course": ref("nowhere"), "org": ref("nowhere")}},
    )

    assert 200 == answer.status_code
    assert ("New", "course", "school") == (
        answer.json()["title"],
        answer.json()["course"]["sourcedId"],
        answer.json()["school"]["sourcedId"],
    )


def test_a_put_replaces_what_is_in_the_body(api: httpx.Client) -> None:
    """What is not there stays; null clears (section 2.4)."""
    api.put("users/student", json={"user": user("student", middleName="May", phone="1")})
    whole = user("student", phone=None)
    api.put("users/student", json={"user": whole})

    record = read(api, "users/student")
    assert ("May", None, ["parent"]) == (
        record["middleName"],
        record["phone"],
        [one["sourcedId"] for one in record["agents"]],
    )


def test_a_parent_can_be_cleared(api: httpx.Client) -> None:
    """By null, as any reference that is not required."""
    api.put(
        "orgs/school", json={"org": {"name": "Kōwhai School", "type": "school", "parent": None}}
    )

    assert "parent" not in read(api, "orgs/school")


def test_an_enrollment_names_what_it_joins(api: httpx.Client) -> None:
    """School and course are those of the class, and every reference has a name."""
    record = read(api, "enrollments/enrollment")

    names = {
        name: (record[name]["sourcedId"], record[name]["name"])
        for name in ("user", "class", "school", "course")
    }
    assert {
        "user": ("student", "Robin Rimu"),
        "class": ("class", "Mathematics 5A"),
        "school": ("school", "Kōwhai School"),
        "course": ("course", "Mathematics 5"),
    } == names


def test_an_enrollment_has_the_school_of_its_class(api: httpx.Client) -> None:
    """Whatever was written."""
    api.post(
        "enrollments",
        json={"enrollment": ENROLLMENT | {"sourcedId": "new", "school": ref("district")}},
    )

    assert "school" == read(api, "enrollments/new")["school"]["sourcedId"]


def test_an_enrollment_can_be_patched(api: httpx.Client) -> None:
    """Nothing is required, metadata is merged (section 2.5); nothing else can be patched."""
    api.patch("enrollments/enrollment", json={"enrollment": {"metadata": {"a": 1}}})
    answer = api.patch(
        "enrollments/enrollment",
        json={"enrollment": {"endDate": "2027-01-01", "metadata": {"b": 2}}},
    )

    record = read(api, "enrollments/enrollment")
    assert (200, record) == (answer.status_code, answer.json())
    assert ("2027-01-01", "student", {"a": 1, "b": 2}) == (
        record["endDate"],
        record["role"],
        record["metadata"],
    )
    assert 404 == api.patch("enrollments/unknown", json={"enrollment": {}}).status_code
    assert 405 == api.patch("users/student", json={"user": {}}).status_code


def test_users_keep_profiles_and_identifier_and_no_password(
    api: httpx.Client, sandbox: Sandbox
) -> None:
    """The first two are not in the published write schema, but on reads."""
    profile = {
        "profileId": "urn:x",
        "profileType": "app",
        "vendorId": "v",
        "applicationId": "a",
        "credentials": [],
    }
    api.post(
        "users",
        json={"user": user("new", identifier="N1", userProfiles=[profile], password="secret")},
    )

    record = read(api, "users/new")
    (read_profile,) = record["userProfiles"]
    assert ("N1", profile) == (record["identifier"], {name: read_profile[name] for name in profile})
    assert "secret" not in str(sandbox.store.get("users", "new"))


def test_a_course_takes_what_the_standard_does_not_have(api: httpx.Client) -> None:
    """Level, grading scheme and a session (section 8)."""
    extra = {"level": "AP", "gradingScheme": "letters", "academicSession": ref("term")}
    api.post("courses", json={"course": COURSE | {"sourcedId": "new"} | extra})

    record = read(api, "courses/new")
    assert ("AP", "letters", "academicSession") == (
        record["level"],
        record["gradingScheme"],
        record["academicSession"]["type"],
    )


def test_an_id_is_made_up_where_none_is_required(api: httpx.Client) -> None:
    """Section 2.6."""
    written = {name: value for name, value in user("x").items() if name != "sourcedId"}
    allocated = api.post("users", json={"user": written}).json()["sourcedIdPairs"][
        "allocatedSourcedId"
    ]

    assert allocated == read(api, f"users/{allocated}")["sourcedId"]
