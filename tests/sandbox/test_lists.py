"""Lists: pages, order, fields, search."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.records import user


def ids(api: httpx.Client, path: str = "users", **query: str) -> list[str]:
    """The ids in a list, in order."""
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    key = next(iter(answer.json()))
    return [record["sourcedId"] for record in answer.json()[key]]


@pytest.mark.parametrize("limit", ["0", "-1", "3001", "many", "1.5", "9" * 5000])
def test_a_limit_out_of_bounds_is_refused(api: httpx.Client, limit: str) -> None:
    """From 1 to 3,000 (section 6)."""
    answer = api.get("users", params={"limit": limit})

    assert (422, [{"limit": "must be a number from 1 to 3000"}]) == (
        answer.status_code,
        answer.json()["imsx_error_details"],
    )


@pytest.mark.parametrize(("name", "value"), [("offset", "-1"), ("orderBy", "sideways")])
def test_other_parameters_are_checked(api: httpx.Client, name: str, value: str) -> None:
    """An offset is no less than 0, an order is one of two."""
    assert 422 == api.get("users", params={name: value}).status_code


def test_pages_follow_each_other(api: httpx.Client) -> None:
    """Offset and limit cut the list; the totals are those of the whole."""
    body = api.get("users", params={"limit": "2", "offset": "2"}).json()

    assert ["teacher"] == [record["sourcedId"] for record in body.pop("users")]
    assert {"totalCount": 3, "pageCount": 2, "pageNumber": 2, "offset": 2, "limit": 2} == body


def test_an_offset_past_the_end_gives_nothing(api: httpx.Client) -> None:
    """The totals are still there."""
    body = api.get("users", params={"offset": "50"}).json()

    assert ([], 3) == (body["users"], body["totalCount"])


def test_the_largest_page_is_three_thousand(api: httpx.Client) -> None:
    """It is allowed, and answered at once."""
    assert 3 == len(ids(api, limit="3000"))


@pytest.mark.parametrize(
    ("order", "expected"),
    [("asc", ["parent", "student", "teacher"]), ("desc", ["teacher", "student", "parent"])],
)
def test_lists_are_sorted(api: httpx.Client, order: str, expected: list[str]) -> None:
    """By any property, either way."""
    assert expected == ids(api, sort="email", orderBy=order)


def test_a_sort_by_what_is_not_there_is_refused(api: httpx.Client) -> None:
    """Status 400."""
    assert 400 == api.get("users", params={"sort": "shoeSize"}).status_code


@pytest.mark.parametrize(
    "name", ["metadata.a'b", 'metadata.a"b', "metadata.a') , (SELECT 1", "metadata."]
)
def test_names_in_metadata_cannot_break_out(api: httpx.Client, name: str) -> None:
    """A name is data, whatever it holds."""
    assert 3 == len(ids(api, sort=name))


def test_fields_choose_properties(api: httpx.Client) -> None:
    """In lists and in single reads; names that are not there are passed over."""
    expected = {"sourcedId": "student", "givenName": "Robin"}

    assert (
        expected
        == api.get(
            "users", params={"fields": "sourcedId,givenName,shoe", "sort": "sourcedId"}
        ).json()["users"][1]
    )
    assert {"user": expected} == api.get(
        "users/student", params={"fields": "sourcedId, givenName"}
    ).json()


@pytest.mark.parametrize(
    ("path", "words", "expected"),
    [
        ("users", "TŌTARA", ["teacher"]),
        ("users", "toni", ["teacher"]),
        ("users", "parent@", ["parent"]),
        ("courses", "m5", ["course"]),
        ("courses", "history", []),
        ("orgs", "kōwhai", ["school"]),
        ("classes", "history", ["class"]),
        ("students", "rimu", ["student"]),
    ],
)
def test_search_looks_for_a_part(
    api: httpx.Client, path: str, words: str, expected: list[str]
) -> None:
    """In any case; classes ignore it (section 6)."""
    assert expected == ids(api, path, search=words)


def test_deleted_records_are_listed_unless_filtered(api: httpx.Client) -> None:
    """Clients filter by status (section 6)."""
    api.post("users", json={"user": user("gone")})
    api.delete("users/gone")

    assert "gone" in ids(api)
    assert "gone" not in ids(api, filter="status='active'")
