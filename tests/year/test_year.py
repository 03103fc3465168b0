"""The simulated year: ordinary nights ask nobody, and whatever an export does wrong, a person is asked before anybody is harmed.

`make test` visits the night on which most happens, and plants most faults once, in one layout. `make test-full` lives through a whole
year in each layout, and visits nights of other years. `python -m tests.year` prints what each fault came to.
"""

from __future__ import annotations

from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.strength import STRENGTH
from tests.year import verdict
from tests.year.calendar import ASKS, CLOSES, OPENS, ROLLOVER, SECOND_TERM_MADE, Size
from tests.year.exports import FORMS, Form
from tests.year.faults.fault import Fault
from tests.year.faults.table import FAULTS
from tests.year.living import nights
from tests.year.planting import Outcome, Year, lived, visited

# `make test`: the night that is visited in each layout, with the one before and the one after.
SPECIAL = {"bulk": CLOSES, "delta": SECOND_TERM_MADE, "clever": OPENS, "canvas": ROLLOVER}
# The year of seed 1, and visits to so many others. The processes of a run must agree on names of tests, and so the seeds are no part of them.
YEARS = range(1 if STRENGTH == "commit" else 5)
# A visit takes some days.
NEAR = 7
SMALL = Size(ash=9, birch=2, middle=9, high=4, new=1)
BY_NAME = {fault.name: fault for fault in FAULTS}


def its_share(form: Form) -> list[Fault]:
    """Each fault that is planted often in one layout: give those that this one is to show."""
    often = [fault for fault in FAULTS if fault.often]
    return [
        fault for place, fault in enumerate(often) if form == fault.forms[place % len(fault.forms)]
    ]


def outcomes(form: Form, seed: int, folder: Path) -> list[Outcome]:
    """Live through a year, or visit a few of its nights."""
    if STRENGTH == "commit":
        return list(visited(form, seed, its_share(form), folder, SPECIAL[form]))
    if seed == 1:
        return list(lived(Year.of(form, seed, folder / "feed"), FAULTS))
    usual = [
        one.day for one in nights(seed) if all(abs((one.day - day).days) > NEAR for day in ASKS)
    ]
    # Whoever only visits has not loaded the export of a month ago, and cannot know it again.
    faults = [fault for fault in FAULTS if fault.name != "last month's export again"]
    # The visit needs a few nights after the day, and so the last days of the year are left out.
    return list(visited(form, seed, faults, folder, Random(seed).choice(usual[40:-NEAR])))


@pytest.mark.parametrize("number", YEARS)
@pytest.mark.parametrize("form", FORMS)
def test_a_person_is_asked_before_anybody_is_harmed_and_not_for_nothing(
    form: Form, number: int, tmp_path: Path
) -> None:
    """Faults wait, and are reported; the nights between them go through, but for a school that closes and the rollover."""
    seed = SystemRandom().randrange(2, 10_000) if number else 1
    year = outcomes(form, seed, tmp_path)

    ordinary = [one for one in year if one.name not in BY_NAME]
    amiss = [f"{said}: {one}" for one in ordinary if (said := verdict.of_ordinary(one))]
    assert [] == amiss, "\n".join(amiss)
    assert verdict.MOST_HOLDS >= sum(one.asked for one in ordinary)
    planted = [(one, BY_NAME[one.name]) for one in year if one.name in BY_NAME]
    amiss = [f"{said}: {one}" for one, fault in planted if (said := verdict.of_fault(one, fault))]
    assert [] == amiss, "\n".join(amiss)


def test_one_seed_makes_one_year() -> None:
    """A night that failed can be lived through again."""
    first, again = (list(nights(7, count=40)) for _ in range(2))

    assert first == again
    assert first[-1] != list(nights(8, count=40))[-1]


def test_each_fault_changes_what_is_written(tmp_path: Path) -> None:
    """A fault that leaves the files as they are would prove nothing."""
    chance = Random(1)
    years = {form: Year.of(form, 1, tmp_path / form, SMALL) for form in FORMS}

    unchanged = [
        fault.name
        for form in FORMS
        for fault in its_share(form)
        if not years[form].differs(fault, chance.randrange(22, 45))
    ]

    assert [] == unchanged
