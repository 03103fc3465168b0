"""Counts in sentences: the noun and the verb agree with the number."""

from __future__ import annotations

import pytest

from transforms.grammar import agree, count_of
from transforms.schemas import ENTITIES


@pytest.mark.parametrize(
    ("one", "more"),
    [
        ("row", "rows"),
        ("class", "classes"),
        ("category", "categories"),
        ("person", "people"),
        ("staff member", "staff"),
        ("new user", "new users"),
        ("student enrollment", "student enrollments"),
    ],
)
def test_a_noun_agrees_with_its_count(one: str, more: str) -> None:
    """Nothing has the plural too."""
    assert (f"1 {one}", f"0 {more}", f"2,000 {more}") == (
        count_of(1, more),
        count_of(0, more),
        count_of(2000, more),
    )


@pytest.mark.parametrize(
    ("one", "more"), [("is", "are"), ("was", "were"), ("has", "have"), ("it", "them")]
)
def test_a_verb_and_a_pronoun_agree_with_a_count(one: str, more: str) -> None:
    """As the noun does."""
    assert (one, more) == (agree(1, more), agree(2, more))


def test_a_fraction_has_the_plural() -> None:
    """It may be a number of hours in a feed file."""
    assert ("hour", "hours") == (agree(1.0, "hours"), agree(1.5, "hours"))


@pytest.mark.parametrize("name", [name for name, one in ENTITIES.items() if one.folds_into is None])
def test_one_record_of_an_entity_has_its_singular(name: str) -> None:
    """As the standard calls it, but for demographics, which has no other singular."""
    assert agree(1, name) in (ENTITIES[name].singular, "demographics record")
