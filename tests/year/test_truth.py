"""What the year takes for harm."""

from __future__ import annotations

import pytest

from tests.year.truth import Harm, View, harms, missing

ANN, BO, SEAT = ("person", "1"), ("person", "2"), ("seat", "art", "1", "student")
TRUTH: View = {ANN: ("Ann", "Lee"), BO: ("Bo", "Ray"), SEAT: ("1",)}


@pytest.mark.parametrize(
    ("after", "harmed"),
    [
        (TRUTH, []),
        ({BO: ("Bo", "Ray"), SEAT: ("1",)}, [Harm("removed", ANN)]),
        (TRUTH | {ANN: ("Zoe", "Kim")}, [Harm("changed", ANN)]),
        (TRUTH | {SEAT: ("2",)}, [Harm("changed", SEAT)]),
        (TRUTH | {("person", "9"): ("Ann", "Lee")}, [Harm("made up", ("person", "9"))]),
    ],
)
def test_harm_is_what_a_night_has_changed_to_something_that_is_not_true(
    after: View, harmed: list[Harm]
) -> None:
    """Locked out, overwritten, doubled, or there under another id."""
    assert harmed == harms(TRUTH, after, TRUTH)


def test_what_waits_is_no_harm_and_has_not_arrived() -> None:
    """A marriage that a night has not delivered yet."""
    married = TRUTH | {ANN: ("Ann", "Moss")}

    assert ([], [Harm("not delivered", ANN)]) == (
        harms(TRUTH, TRUTH, married),
        missing(TRUTH, married),
    )


def test_a_newcomer_with_a_wrong_cell_is_no_harm() -> None:
    """Nobody had that place before, and the next export corrects it."""
    before = {key: cells for key, cells in TRUTH.items() if key != BO}

    assert [] == harms(before, before | {BO: ("Bo", "")}, TRUTH)
