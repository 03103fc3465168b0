"""Collections of a REST source, as records in JSON, make a drop that the CSV layout reads as any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.judging import TODAY, accepted, errors, rules
from transforms.checks import Checked, check
from transforms.from_json.drop import make_raw
from transforms.from_json.records import CollectionRows, add_rows
from transforms.layouts.options import ReadingOptions
from transforms.schemas import ENTITIES
from transforms.schemas.entity import Version
from transforms.sources import normalize

Json = dict[str, Any]
ACTIVE = {"status": "active", "dateLastModified": "2026-11-24T00:00:00.000Z"}
SCHOOL = ACTIVE | {"sourcedId": "s1", "name": "Elm School", "type": "school", "identifier": "1"}
ANA: Json = ACTIVE | {
    "sourcedId": "ana",
    "enabledUser": "true",
    "username": "ana",
    "givenName": "Ana",
    "familyName": "Diaz",
    "grades": ["05"],
    "roles": [
        {
            "roleType": "primary",
            "role": "student",
            "org": {"sourcedId": "s1"},
            "userProfile": "https://app.example.edu/1",
        }
    ],
    "userProfiles": [
        {
            "profileId": "https://app.example.edu/1",
            "profileType": "app",
            "vendorId": "v",
            "credentials": [{"type": "name", "username": "ana"}],
        }
    ],
}


def judged(
    records: Mapping[str, list[Any]],
    *,
    version: Version = "1.2",
    whole: bool = True,
    broken: Mapping[str, str] | None = None,
) -> Checked:
    """Unfold collections, and normalize and check what they come to."""
    read = {name: CollectionRows() for name in records}
    for name, found in records.items():
        add_rows(ENTITIES[name], found, version, read[name])
    raw = make_raw(read, version, whole=whole, broken=broken)
    return check(normalize("auto", raw, ReadingOptions(TODAY)), {})


def test_a_user_with_a_role_and_a_profile() -> None:
    """Both become rows of their own files, and parts of the user again."""
    checked = judged({"orgs": [SCHOOL], "users": [ANA]})

    assert errors(checked) == []
    assert accepted(checked, "users") == ["ana"]
    assert "student" in checked.standing["users"].accepted["roles"][0]


def test_what_is_not_understood_is_rejected_and_not_gone() -> None:
    """Its id is known, so that it is not taken for vanished."""
    checked = judged({"orgs": [SCHOOL, SCHOOL | {"sourcedId": "s2", "name": {"en": "Oak"}}, "Elm"]})

    assert ("orgs", "s2", "json_form") in errors(checked)
    assert accepted(checked, "orgs") == ["s1"]


@pytest.mark.parametrize(
    ("properties", "rule"),
    [
        ({"roles": ANA["roles"][0]}, "json_form"),
        (
            {
                "userProfiles": [
                    ANA["userProfiles"][0] | {"credentials": [{"type": "a"}, {"type": "b"}]}
                ]
            },
            "json_form",
        ),
        ({"givenName": "A\x1fna"}, "control_character"),
    ],
)
def test_a_user_that_is_not_understood_is_rejected(properties: Json, rule: str) -> None:
    """A role that is no list, two credentials where there is room for one, what would separate parts."""
    checked = judged(
        {"orgs": [SCHOOL], "users": [ANA, ANA | {"sourcedId": "bo", "username": "bo"} | properties]}
    )

    assert ("users", "bo", rule) in errors(checked)
    assert accepted(checked, "users") == ["ana"]


def test_a_property_without_a_column_is_reported() -> None:
    """The children of an organization are reported separately."""
    checked = judged({"orgs": [SCHOOL | {"motto": "Grow", "children": [{"sourcedId": "x"}]}]})

    told = [(notice.rule, notice.column) for notice in checked.findings.notices]
    assert ("property_unread", "motto") in told
    assert ("property_unread", "children") not in told


def test_a_user_of_the_older_binding() -> None:
    """One role, several organizations."""
    user = ACTIVE | {
        "sourcedId": "bo",
        "enabledUser": True,
        "username": "bo",
        "givenName": "Bo",
        "familyName": "Lee",
        "role": "teacher",
        "orgs": [{"sourcedId": "s1"}],
    }

    checked = judged({"orgs": [SCHOOL], "users": [user]}, version="1.1")

    assert accepted(checked, "users") == ["bo"]


def test_no_changes_are_no_fault() -> None:
    """The manifest says that there are none."""
    checked = judged({"orgs": [], "users": []}, whole=False)

    assert (errors(checked), checked.standing) == ([], {})


def test_a_collection_that_could_not_be_read_is_told() -> None:
    """Nothing of it counts as vanished."""
    checked = judged({"orgs": [SCHOOL]}, broken={"demographics": "HTTP 403"})

    assert "collection_unread" in rules(checked)
    assert "demographics" not in checked.standing


@pytest.mark.parametrize(
    "changes",
    [
        {"orgSourcedIds": ["s1"]},
        {"orgSourcedIds": "s1, s1"},
        {"orgSourcedIds": "s1", "orgs": []},
        {"orgSourcedIds": ["s1"], "orgs": [{"sourcedId": "s1"}]},
    ],
)
def test_a_flat_reference_is_read_as_it_is_meant(changes: Json) -> None:
    """Under the name that files have for it, alone or beside an equal or a blank one."""
    user = {name: value for name, value in ANA.items() if name not in ("roles", "userProfiles")}

    checked = judged(
        {"orgs": [SCHOOL], "users": [user | {"role": "student"} | changes]}, version="1.1"
    )

    assert accepted(checked, "users") == ["ana"]
    assert ("reference_flat", "users.csv", "orgSourcedIds", 1) in [
        (one.rule, one.file, one.column, one.count) for one in checked.findings.notices
    ]


def test_two_references_that_differ_are_not_guessed() -> None:
    """The record is rejected, with the name of its flat reference."""
    oak = SCHOOL | {"sourcedId": "s2", "parent": {"sourcedId": "d"}, "parentSourcedId": "s1"}

    checked = judged({"orgs": [SCHOOL, oak]})

    assert ["s1"] == accepted(checked, "orgs")
    assert [("s2", "parentSourcedId", "json_form")] == checked.findings.errors.select(
        "sourcedId", "column", "rule"
    ).rows()
