"""What is called unusual: only what is far above a feed's own history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.anomalies import FEWEST_RUNS, FLOOR, MOST_RUNS, WATCHED, find_unusual

COUNTS = st.integers(0, 100_000)
RUNS = st.lists(COUNTS, min_size=FEWEST_RUNS, max_size=MOST_RUNS + 5)


def found(count: int, *before: int, term: str = "updated") -> list[tuple[str, str]]:
    """Say what is unusual in a run with so many users in a term, after others."""
    return [
        (one.entity, one.term)
        for one in find_unusual(
            {"users": {term: count}}, [{"users": {term: one}} for one in before]
        )
    ]


@pytest.mark.parametrize("term", WATCHED)
def test_far_above_the_usual_is_told(term: str) -> None:
    """Rejects, creates, updates and what vanished."""
    assert [("users", term)] == found(100, 3, 0, 5, 2, 4, term=term)


def test_the_sentence_says_what_was_usual() -> None:
    """Both counts, and over how many runs."""
    (one,) = find_unusual(
        {"enrollments": {"vanished": 1200}}, [{"enrollments": {"vanished": 40}}] * 6
    )

    assert "1,200 enrollments vanished; usually 40 over the last 6 runs." == one.sentence


@pytest.mark.parametrize(
    ("count", "before"),
    [
        (25, [0] * 10),
        (26, [1] * 10),
        (1500, [1000, 1400, 600, 1100, 900]),
        (1590, [1000] * 10),
        (310, [0, 0, 0, 0, 210, 0, 0, 0, 0, 220, 0]),
        (100_000, [0] * (FEWEST_RUNS - 1)),
        (0, [500] * 10),
    ],
)
def test_what_is_usual_is_not(count: int, before: list[int]) -> None:
    """A few records, what varies anyway, a habit of Mondays, a feed without a history, and less than usual."""
    assert [] == found(count, *before)


def test_one_bad_night_does_not_become_the_usual() -> None:
    """The second one is reported as well."""
    assert [("users", "updated")] == found(5000, 3, 5000, 2, 4, 3, 2)


def test_what_was_never_counted_was_nought() -> None:
    """An entity that comes for the first time has no history of its own."""
    assert ["contacts"] == [
        one.entity
        for one in find_unusual({"contacts": {"created": 50}}, [{"users": {"created": 50}}] * 5)
    ]


def test_only_the_latest_runs_count() -> None:
    """What was usual before them is forgotten."""
    assert [("users", "updated")] == found(900, *[3] * MOST_RUNS, *[900] * 100)


def test_other_terms_are_not_watched() -> None:
    """That more is read or unchanged is no anomaly."""
    assert [] == found(100_000, *[0] * 10, term="unchanged")


@given(RUNS)
def test_a_night_as_many_before_it_is_never_unusual(before: list[int]) -> None:
    """Neither the median nor the second highest of the latest runs is."""
    latest = sorted(before[:MOST_RUNS])

    assert [] == found(latest[len(latest) // 2], *before)
    assert [] == found(latest[-2], *before)


@given(COUNTS, COUNTS, RUNS)
def test_more_is_never_less_unusual(count: int, more: int, before: list[int]) -> None:
    """What is reported for a count is reported for every higher one."""
    assert len(found(count, *before)) <= len(found(count + more, *before))


@given(COUNTS, RUNS)
def test_the_order_of_runs_does_not_matter(count: int, before: list[int]) -> None:
    """Only which runs there were does."""
    latest = before[:MOST_RUNS]
    mixed = sorted(latest)

    assert found(count, *latest) == found(count, *mixed)


@given(COUNTS, RUNS)
def test_what_is_unusual_is_well_above_the_usual(count: int, before: list[int]) -> None:
    """By more than the floor."""
    runs = [{"users": {"updated": one}} for one in before]

    assert all(
        one.count - one.usual > FLOOR for one in find_unusual({"users": {"updated": count}}, runs)
    )
