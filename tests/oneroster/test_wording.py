"""Of what a target says, only words that are nobody's are shown."""

from __future__ import annotations

import pytest

from connectors.oneroster.error_words import hide_personal_words


@pytest.mark.parametrize(
    "text",
    [
        "Invalid data (email: must be a valid e-mail address, givenName: is required)",
        "agents[0].sourcedId: wrong",
        "must be {href, sourcedId, type}",
        "Error in filter query.",
        "The access_token is not valid, and 429 is no number of 3 digits",
    ],
)
def test_words_of_failures_are_shown(text: str) -> None:
    """And names of properties, and short numbers."""
    assert text == hide_personal_words(text, {"access_token"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ana Diaz is taken", "… is taken"),
        ("Key (email)=(ana.diaz@example.edu) already exists.", "Key (email)=(…) already exists."),
        ("user@example.edu", "…"),
        ("call 303 555 010 or 303-555-010", "… or …"),
        ("born on 2015-02-01, 5550100", "… on …"),
        ("O'Brien's record", "… record"),
        ("Will May may not write", "… may not write"),
        ("李明 already exists", "… already exists"),
        ("c-17 and c-18 not found", "c-17 and … not found"),
    ],
)
def test_any_other_word_is_hidden(text: str, shown: str) -> None:
    """It may be a name, an address or a number of somebody; ids that are meant to be seen are not."""
    assert shown == hide_personal_words(text, {"c-17"})
