"""A password is in no record that is shown or compared, however deep it stands."""

from __future__ import annotations

from transforms.secrets import SECRET, without_secrets


def test_passwords_are_left_out_of_a_record_and_of_its_parts() -> None:
    """The rest stays, in its order."""
    record = {
        "sourcedId": "bo",
        "password": "hunter2",
        "grades": ["5"],
        "userProfiles": [
            {
                "profileId": "p1",
                "password": "hunter3",
                "credentials": {"username": "bo", "password": "h4"},
            }
        ],
    }

    assert {
        "sourcedId": "bo",
        "grades": ["5"],
        "userProfiles": [{"profileId": "p1", "credentials": {"username": "bo"}}],
    } == without_secrets(record)
    assert {"password"} == SECRET
