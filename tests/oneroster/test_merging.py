"""An update never erases what others wrote, and clears what we wrote and have no more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.merge import (
    covers,
    differing_properties,
    differs_in_fixed_property,
    merge,
    to_write_shape,
)
from connectors.oneroster.profile import TIMEBACK

USERS, CLASSES, ENROLLMENTS = (
    TIMEBACK.collections["users"],
    TIMEBACK.collections["classes"],
    TIMEBACK.collections["enrollments"],
)


def ref(sourced_id: str) -> dict[str, str]:
    """Decorate a reference as a read does."""
    return {
        "href": f"https://x/{sourced_id}",
        "sourcedId": sourced_id,
        "type": "org",
        "name": "A school",
    }


def test_a_user_as_read_becomes_a_user_as_written() -> None:
    """Decoration, nulls and views of other records are not written (appendix B)."""
    read = {
        "sourcedId": "u",
        "status": "active",
        "dateLastModified": "2026-01-01T00:00:00Z",
        "middleName": None,
        "roles": [
            {"role": "student", "org": ref("s"), "metadata": {"level": ["a"]}, "endDate": None}
        ],
        "primaryOrg": ref("s"),
        "demographics": {"sourcedId": "u"},
        "metadata": {"app": {"href": 1, "x": None}},
        "userProfiles": [{"profileId": "p", "app": {"sourcedId": "a"}, "credentials": []}],
    }

    assert to_write_shape(USERS, read) == {
        "sourcedId": "u",
        "status": "active",
        "roles": [{"role": "student", "org": {"sourcedId": "s"}, "metadata": {"level": ["a"]}}],
        "primaryOrg": {"sourcedId": "s"},
        "metadata": {"app": {"href": 1, "x": None}},
        "userProfiles": [{"profileId": "p", "credentials": []}],
    }


@pytest.mark.parametrize(
    ("name", "read", "written"),
    [
        (
            "classes",
            {"school": ref("s"), "terms": [ref("t")]},
            {"school": {"sourcedId": "s"}, "terms": [{"sourcedId": "t"}]},
        ),
        ("classes", {"org": ref("s")}, {"school": {"sourcedId": "s"}}),
        ("enrollments", {"course": ref("c"), "class": ref("k")}, {"class": {"sourcedId": "k"}}),
        (
            "orgs",
            {"children": [ref("s")], "name": "A", "type": "school"},
            {"name": "A", "type": "school"},
        ),
        ("courses", {"schoolYear": ref("y")}, {"schoolYear": {"sourcedId": "y"}}),
        ("demographics", {"sex": "other", "asian": "true"}, {"asian": "true"}),
    ],
)
def test_what_a_read_adds_is_not_written(
    name: str, read: dict[str, Any], written: dict[str, Any]
) -> None:
    """Each collection has its own additions (section 8, appendix B)."""
    assert to_write_shape(TIMEBACK.collections[name], read) == written


def test_what_an_app_wrote_survives() -> None:
    """Ours is laid over theirs, metadata key by key."""
    theirs = {
        "givenName": "Ann",
        "phone": "1",
        "metadata": {"app": {"goal": 3}, "sis": {"a": "1", "b": "2"}},
    }

    assert merge(USERS, theirs, {"givenName": "Anna", "metadata": {"sis": {"a": "9"}}}) == {
        "givenName": "Anna",
        "phone": "1",
        "metadata": {"app": {"goal": 3}, "sis": {"a": "9", "b": "2"}},
    }


def test_theirs_is_left_as_it_was() -> None:
    """Merging makes a new record: the old one is compared with it afterwards."""
    theirs = {"metadata": {"a": {"b": "1"}}, "phone": "1"}

    merge(USERS, theirs, {"metadata": {"a": {"c": "2"}}}, ["metadata.a.b", "phone"])

    assert theirs == {"metadata": {"a": {"b": "1"}}, "phone": "1"}


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (
            "phone",
            {
                "phone": None,
                "grades": ["5"],
                "metadata": {"a": {"b": "1", "c": "2"}, "x": {"y": "3"}, "d.e": "4"},
            },
        ),
        (
            "grades",
            {
                "phone": "1",
                "grades": [],
                "metadata": {"a": {"b": "1", "c": "2"}, "x": {"y": "3"}, "d.e": "4"},
            },
        ),
        (
            "metadata.a.b",
            {
                "phone": "1",
                "grades": ["5"],
                "metadata": {"a": {"b": None, "c": "2"}, "x": {"y": "3"}, "d.e": "4"},
            },
        ),
        (
            "metadata.x.y",
            {
                "phone": "1",
                "grades": ["5"],
                "metadata": {"a": {"b": "1", "c": "2"}, "x": {"y": None}, "d.e": "4"},
            },
        ),
        (
            "metadata.d.e",
            {
                "phone": "1",
                "grades": ["5"],
                "metadata": {"a": {"b": "1", "c": "2"}, "x": {"y": "3"}, "d.e": None},
            },
        ),
    ],
)
def test_what_we_sent_and_have_no_more_is_cleared(gone: str, left: dict[str, Any]) -> None:
    """A text becomes null, a list empty, a key of metadata null: left out, it would stay (section 2.4)."""
    theirs = {
        "phone": "1",
        "grades": ["5"],
        "metadata": {"a": {"b": "1", "c": "2"}, "x": {"y": "3"}, "d.e": "4"},
    }

    assert merge(USERS, theirs, {}, [gone]) == left


@pytest.mark.parametrize(
    "gone", ["middleName", "metadata.none", "metadata.a", "metadata.a.b.c", "once.declared"]
)
def test_what_is_not_there_need_not_be_cleared(gone: str) -> None:
    """Blank already, an object of others where our text was, or a column that is declared no longer."""
    theirs = {"metadata": {"a": {"b": "1"}}}

    assert merge(USERS, theirs, {}, [gone]) == theirs


def test_a_role_keeps_what_others_wrote_on_it_and_nothing_of_ours() -> None:
    """Its metadata is theirs; its dates are ours, and gone if we have none."""
    theirs = {
        "roles": [
            {
                "role": "student",
                "org": {"sourcedId": "s"},
                "endDate": "2026-01-01",
                "metadata": {"x": 1},
            }
        ]
    }
    ours = {
        "roles": [
            {"role": "student", "org": {"sourcedId": "s"}},
            {"role": "aide", "org": {"sourcedId": "s"}},
        ]
    }

    assert merge(USERS, theirs, ours)["roles"] == [
        {"metadata": {"x": 1}, "role": "student", "org": {"sourcedId": "s"}},
        {"role": "aide", "org": {"sourcedId": "s"}},
    ]


def test_a_class_stays_in_its_course_and_school() -> None:
    """A PUT cannot move a class (section 11b), so that what is there is sent."""
    theirs = {"title": "A", "course": {"sourcedId": "c1"}, "school": {"sourcedId": "s1"}}
    ours = {"title": "B", "course": {"sourcedId": "c2"}, "school": {"sourcedId": "s1"}}

    assert merge(CLASSES, theirs, ours) == {**theirs, "title": "B"}
    assert differs_in_fixed_property(CLASSES, theirs, ours)
    assert not differs_in_fixed_property(CLASSES, theirs, theirs)


TEXTS = st.dictionaries(
    st.sampled_from(["givenName", "phone", "email"]), st.text(min_size=1, max_size=2), max_size=3
)
NESTED = st.recursive(
    st.text(min_size=1, max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("ab"), inner, min_size=1, max_size=2),
    max_leaves=5,
)
METADATA = st.dictionaries(st.sampled_from("abc"), NESTED, min_size=1, max_size=3)


@given(TEXTS, METADATA, TEXTS, METADATA)
def test_a_merge_says_all_that_we_say_and_keeps_all_else(
    theirs: dict[str, Any], held: dict[str, Any], ours: dict[str, Any], said: dict[str, Any]
) -> None:
    """Ours win; a property or a key of metadata that we do not have is as it was; again changes nothing."""
    before, record = theirs | {"metadata": held}, ours | {"metadata": said}

    after = merge(USERS, before, record)

    assert covers(after, record)
    assert {name: after[name] for name in theirs if name not in ours} == {
        name: value for name, value in theirs.items() if name not in ours
    }
    assert {key: after["metadata"][key] for key in held if key not in said} == {
        key: value for key, value in held.items() if key not in said
    }
    assert merge(USERS, after, record) == after


def test_a_credential_keeps_the_id_that_the_target_gave_it() -> None:
    """An update neither drops it nor takes it for a difference."""
    credential = {"type": "login", "username": "robin"}
    theirs = {"userProfiles": [{"profileId": "p", "credentials": [{"id": "1", **credential}]}]}
    ours = {"userProfiles": [{"profileId": "p", "credentials": [credential]}]}

    assert theirs == merge(USERS, theirs, ours)
    assert [] == differing_properties(USERS, theirs, ours)
