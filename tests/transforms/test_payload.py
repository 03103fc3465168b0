"""Records as JSON, and the fingerprints that say whether they changed."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import payload as parts
from transforms.fingerprint import fingerprints
from transforms.payload import json_records
from transforms.schemas import ENTITIES

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
CELLS = st.dictionaries(
    st.sampled_from(["givenName", "familyName", "email", "phone", "metadata.bus"]), TEXT, min_size=1
)


def test_a_user_in_json() -> None:
    """Names, references, lists, roles, profiles and nested metadata as the REST binding has them."""
    role = {
        "role": "student",
        "roleType": "primary",
        "orgSourcedId": "s1",
        "userProfileSourcedId": "p 1",
    }
    profile = {
        "sourcedId": "p 1",
        "profileType": "app",
        "vendorId": "v",
        "credentialType": "name",
        "username": "ana",
    }
    frame = pl.DataFrame(
        {
            "sourcedId": ["ana"],
            "#action": ["create"],
            "enabledUser": ["true"],
            "preferredGivenName": ["An"],
            "userIds": ["{LDAP:12},{LTI:15}"],
            "agentSourcedIds": ["mum,dad"],
            "primaryOrgSourcedId": ["s1"],
            "grades": ["5,6"],
            "middleName": [None],
            "metadata.jp.kana": ["アナ"],
            "metadata.bus": ["9"],
            "roles": [parts.write_parts([role])],
            "userProfiles": [parts.write_parts([profile])],
        },
        schema_overrides={"middleName": pl.String},
    )

    assert [
        {
            "status": "active",
            "sourcedId": "ana",
            "enabledUser": "true",
            "preferredFirstName": "An",
            "userIds": [{"type": "LDAP", "identifier": "12"}, {"type": "LTI", "identifier": "15"}],
            "agents": [{"sourcedId": "mum"}, {"sourcedId": "dad"}],
            "primaryOrg": {"sourcedId": "s1"},
            "grades": ["5", "6"],
            "metadata": {"jp": {"kana": "アナ"}, "bus": 9},
            "roles": [
                {
                    "role": "student",
                    "roleType": "primary",
                    "org": {"sourcedId": "s1"},
                    "userProfile": "urn:oneroster:userProfile:p%201",
                }
            ],
            "userProfiles": [
                {
                    "profileId": "urn:oneroster:userProfile:p%201",
                    "profileType": "app",
                    "vendorId": "v",
                    "credentials": [{"type": "name", "username": "ana"}],
                }
            ],
        }
    ] == list(json_records(ENTITIES["users"], frame))


def test_a_metadata_name_that_is_a_value_and_a_group() -> None:
    """Neither value is lost."""
    frame = pl.DataFrame({"sourcedId": ["c"], "metadata.a": ["1"], "metadata.a.b": ["2"]})

    assert {"a": 1, "a.b": 2} == next(json_records(ENTITIES["classes"], frame))["metadata"]


TYPED: tuple[tuple[str, object], ...] = (
    ("7", 7), ("-2.5", -2.5), ("0", 0), ("true", True), ('{"xp": [1, 2]}', {"xp": [1, 2]}), ("[]", []), ('"7"', "7"),
    ("007", "007"), ("1.10", "1.10"), ("1e5", "1e5"), ("+1", "+1"), ("{A:1}", "{A:1}"), ("[NaN]", "[NaN]"), ('{"k": 1e999}', '{"k": 1e999}'), (r'["\ud800"]', r'["\ud800"]'), ("True", "True"),
    ("12345678901234567890", "12345678901234567890"), ("https://media.example.edu/1", "https://media.example.edu/1"),
)  # fmt: skip


@pytest.mark.parametrize(("cell", "value"), TYPED)
def test_metadata_is_typed(cell: str, value: object) -> None:
    """Numbers, booleans and JSON are what they are; codes that only look like numbers stay text."""
    frame = pl.DataFrame({"sourcedId": ["r"], "metadata.x": [cell]})

    found = next(json_records(ENTITIES["resources"], frame))["metadata"]["x"]
    assert value == found
    assert isinstance(found, type(value))


def test_links_of_the_gradebook_are_folded() -> None:
    """Objectives by their source, with scores where they are those of a result; one scale."""
    objective = {"source": "unknown", "learningObjectiveId": "add"}
    items = pl.DataFrame(
        {
            "sourcedId": ["w"],
            "lineItemLearningObjectiveIds": [
                parts.write_parts([objective, objective | {"learningObjectiveId": "carry"}])
            ],
            "lineItemScoreScales": [parts.write_parts([{"scoreScaleSourcedId": "letters"}])],
        }
    )
    results = pl.DataFrame(
        {
            "sourcedId": ["r"],
            "resultLearningObjectiveIds": [parts.write_parts([objective | {"score": "3"}])],
        }
    )

    assert [
        {
            "status": "active",
            "sourcedId": "w",
            "scoreScale": {"sourcedId": "letters"},
            "learningObjectiveSet": [
                {"source": "unknown", "learningObjectiveIds": ["add", "carry"]}
            ],
        }
    ] == list(json_records(ENTITIES["lineItems"], items))
    assert [
        {
            "source": "unknown",
            "learningObjectiveResults": [{"learningObjectiveId": "add", "score": 3.0}],
        }
    ] == next(json_records(ENTITIES["results"], results))["learningObjectiveSet"]


def test_the_hash_is_the_published_one() -> None:
    """XXH3-64 of nothing, from the test vectors of its specification."""
    hashed = pl.DataFrame({"text": [""]}).select(pl.col("text").nchash.xxh3_64())  # type: ignore[attr-defined]

    assert 0x2D06800538D394C2 == hashed.item()


def test_fingerprints_are_what_they_were() -> None:
    """A fingerprint that a library upgrade changed would send every district again: these are the numbers of the first release."""
    frame = pl.DataFrame(
        {"sourcedId": ["ana", "bo"], "givenName": ["Ana", "José"], "agentSourcedIds": ["b,a", None]}
    )

    assert [-8825943315034061647, -1719657240325403526] == fingerprints(
        ENTITIES["users"], frame
    ).to_list()


@given(CELLS)
def test_order_and_blanks_do_not_matter(cells: dict[str, str]) -> None:
    """Columns in another order, and blank columns more, give the same fingerprint."""
    frame = pl.DataFrame({"sourcedId": ["x"], **{name: [value] for name, value in cells.items()}})
    names = sorted(frame.columns, reverse=True)

    other = frame.select(names).with_columns(pl.lit(None, pl.String).alias("pronouns"))

    assert (
        fingerprints(ENTITIES["users"], frame).to_list()
        == fingerprints(ENTITIES["users"], other).to_list()
    )


@given(CELLS, CELLS)
def test_other_cells_have_another_fingerprint(one: dict[str, str], two: dict[str, str]) -> None:
    """Also where the same text stands in another column."""
    prints = {
        fingerprints(
            ENTITIES["users"],
            pl.DataFrame({"sourcedId": ["x"], **{k: [v] for k, v in cells.items()}}),
        )[0]
        for cells in (one, two)
    }

    assert (one == two) == (len(prints) == 1)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["role", "orgSourcedId"]), TEXT, min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_parts_are_read_back(held: list[dict[str, str]]) -> None:
    """Whatever text they hold."""
    text = parts.write_parts(held)

    assert text is not None
    assert sorted(sorted(part.items()) for part in held) == sorted(
        sorted(part.items()) for part in parts.read_parts(text)
    )
