"""What is put over a person before the deletion: nothing that is theirs, and all that the target must have."""

from __future__ import annotations

import json

import pytest

from connectors.oneroster.forget import PERSONAL, without_agent, without_content
from connectors.oneroster.profile import TIMEBACK

USER = {
    "sourcedId": "u", "status": "active", "enabledUser": "true", "givenName": "Zephyrine", "familyName": "Quillon",
    "middleName": "Quillon", "email": "quillon@example.edu", "username": "quillon", "grades": ["5"],
    "userIds": [{"type": "sis", "identifier": "quillon"}], "primaryOrg": {"sourcedId": "s"}, "agents": [{"sourcedId": "quillon"}],
    "roles": [{"roleType": "primary", "role": "student", "org": {"sourcedId": "s"}, "metadata": {"of": "quillon"}, "userProfile": "quillon"}],
    "metadata": {"nick": "quillon", "onboarding": {"of": "quillon"}},
}  # fmt: skip


def test_a_user_says_nothing_of_anybody() -> None:
    """Roles and organization stay, since the target wants them; the right to sign in goes, and the password too."""
    user = without_content(TIMEBACK.collections["users"], USER)

    assert not any(word in json.dumps(user).lower() for word in ("quillon", "zephyrine"))
    assert [{"roleType": "primary", "role": "student", "org": {"sourcedId": "s"}}] == user["roles"]
    assert ("u", "active", False, None, {"nick": None, "onboarding": None}) == tuple(
        user[name] for name in ("sourcedId", "status", "enabledUser", "password", "metadata")
    )


@pytest.mark.parametrize("name", sorted(PERSONAL))
def test_what_a_put_must_have_is_there(name: str) -> None:
    """Whatever the collection: a blank record is one that the target takes."""
    collection = TIMEBACK.collections[name]
    record = {
        one: {"sourcedId": "x"} if one in ("student", "lineItem", "assessmentLineItem") else "a"
        for one in collection.required_on_put
    }
    full = record | {
        "sourcedId": "r",
        "status": "active",
        "roles": USER["roles"],
        "comment": "quillon",
    }

    blank = without_content(collection, full)

    assert blank["comment"] is None
    assert [one for one in collection.required_on_put if blank.get(one) in (None, "", [])] == []
    assert blank == without_content(collection, blank)


def test_an_agent_is_taken_away_and_no_other() -> None:
    """The rest of the user is as it was."""
    user = USER | {"agents": [{"sourcedId": "a"}, {"sourcedId": "b"}]}

    assert USER | {"agents": [{"sourcedId": "b"}]} == without_agent(user, "a")


def test_flags_are_what_the_target_takes() -> None:
    """Null where it may be (appendix A), else a word that says nothing."""
    result, born = ({"sourcedId": "r", "late": "true"}, {"sourcedId": "u", "asian": "true"})

    assert "false" == without_content(TIMEBACK.collections["results"], result)["late"]
    assert without_content(TIMEBACK.collections["demographics"], born)["asian"] is None
