"""Two spellings of one value are equal, two values never."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.merge import covers, is_alike, is_equal, is_same

REF = {"sourcedId": "a"}
READ = {"href": "https://x/a", "sourcedId": "a", "type": "org", "name": "A"}
TEACHER = {"role": "teacher", "roleType": "primary", "org": REF}
AIDE = {"role": "aide", "roleType": "secondary", "org": REF}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Zoë", "Zoë"),
        (REF, READ),
        ([REF, {"sourcedId": "b"}], [{"sourcedId": "b"}, READ]),
        ("true", True),
        ("true", "TRUE"),
        ("false", False),
        ("2026", 2026),
        ("2026", 2026.0),
        (94, "94.0"),
        (["5"], [5]),
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        (None, ""),
        ([], None),
        ({}, None),
        ([TEACHER, AIDE], [AIDE | {"metadata": {"x": 1}}, TEACHER]),
        ([{"a": 1}, {"a": 1, "b": 2}], [{"a": 1, "b": 2}, {"a": 1}]),
    ],
)
def test_equal(ours: Any, theirs: Any) -> None:
    """The target spells booleans, years, dates, references and blanks in its own way (section 8)."""
    assert is_equal(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Zoë", "Zoe"),
        ("007", "7"),
        (REF, {"sourcedId": "b"}),
        ([REF], []),
        ([REF], [REF, {"sourcedId": "b"}]),
        ("true", "false"),
        ("true", 1),
        ("2026", 2025),
        ("x", 5),
        ("2026-01-31", "2026-01-31T08:00:00Z"),
        ("a", None),
        ("0", None),
        ([TEACHER], [AIDE]),
        ([TEACHER, TEACHER], [TEACHER, AIDE]),
        (["Math", "Science"], ["Science", "Math"]),
        (["5"], ["5", "6"]),
        ("a", ["a"]),
    ],
)
def test_not_equal(ours: Any, theirs: Any) -> None:
    """Leading zeros, times of day and the order of subjects tell values apart."""
    assert not is_equal(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"name": "Zoe\u0308"}, {"name": "Zo\u00eb"}),
        ({"name": " Ann "}, {"name": "Ann"}),
        ({"name": "Ann  Lee"}, {"name": "Ann Lee"}),
        ({"email": "Ann@Example.EDU"}, {"email": "ann@example.edu"}),
        ({"metadata": {"a": [{"b": "X"}]}}, {"metadata": {"a": [{"b": "x"}]}}),
        (
            {"name": "A", "startDate": "2026-01-31", "primary": True, "schoolYear": "2026"},
            {
                "name": "a",
                "startDate": "2026-01-31T00:00:00.000Z",
                "primary": "TRUE",
                "schoolYear": 2026,
            },
        ),
    ],
)
def test_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """A target may trim, draw spaces together, change the case and compose accents."""
    assert (True, False) == (is_alike(theirs, ours), covers(theirs, ours))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"name": "Ann"}, {"name": "Anna"}),
        ({"name": "Zoë"}, {"name": "Zoe"}),
        ({"name": "AnnLee"}, {"name": "Ann Lee"}),
        ({"org": {"sourcedId": "a"}}, {"org": {"sourcedId": "A"}}),
        ({"sourcedId": "a"}, {"sourcedId": "A"}),
    ],
)
def test_not_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Accents and words tell values apart, and an id is as it is."""
    assert not is_alike(theirs, ours)


def test_primary_is_false_where_it_is_left_out() -> None:
    """The target fills `primary` in on read (section 8)."""
    assert covers({"primary": "false"}, {"primary": None})
    assert covers({}, {"primary": "false"})
    assert not covers({}, {"primary": "true"})


def test_what_others_added_does_not_count() -> None:
    """Metadata is compared by our keys, at any depth."""
    theirs = {"name": "A", "level": "x", "metadata": {"theirs": 1, "ours": {"a": "1", "b": 2}}}

    assert covers(theirs, {"name": "A", "metadata": {"ours": {"a": "1"}}})
    assert not covers(theirs, {"metadata": {"ours": {"a": "2"}}})


def test_the_same_is_the_same_both_ways() -> None:
    """What one has and the other lacks makes a difference, unless it is blank."""
    assert is_same({"a": "1", "b": None}, {"a": "1", "c": []})
    assert not is_same({"a": "1"}, {"a": "1", "c": "2"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab01", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "metadata"]), inner, max_size=3)
    ),
    max_leaves=8,
)
RECORDS = st.dictionaries(
    st.sampled_from(["givenName", "phone", "metadata", "grades", "roles"]), JSON, max_size=5
)


@given(RECORDS)
def test_a_record_is_the_same_as_itself(record: dict[str, Any]) -> None:
    """Whatever it holds."""
    assert is_same(record, record)


@given(RECORDS, RECORDS)
def test_the_same_looks_the_same_from_either_side(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Neither side is the measure of the other."""
    assert is_same(one, other) == is_same(other, one)
