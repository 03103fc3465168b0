"""The days on which something happens to the whole district, and the district's size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tests.year.district import School, Term

FIRST, NIGHTS = date(2026, 8, 3), 300
SATURDAY = 5
OPENS, LEVELED, SECOND_TERM_MADE, FIRST_TERM_LEFT_OUT = (
    date(2026, 8, 24),
    date(2026, 9, 9),
    date(2026, 12, 7),
    date(2027, 1, 25),
)
CLOSES, ROLLOVER = date(2027, 3, 15), date(2027, 7, 1)
BUSY_BEGINS, BUSY_ENDS = date(2026, 8, 13), date(2026, 9, 25)
ASH, BIRCH, NEW = School("0110", "Ash Elementary", 0, 5), School("0120", "Birch Elementary", 0, 5), School("0150", "Nova Elementary", 0, 5)  # fmt: skip
MIDDLE, HIGH = School("0130", "Cedar Middle", 6, 8), School("0140", "Dune High", 9, 12)


@dataclass(frozen=True)
class Size:
    """How many students each grade of a school has at the start."""

    ash: int = 14
    birch: int = 8
    middle: int = 26
    high: int = 24
    new: int = 5


# On these nights so much changes that a run may be held although nothing is wrong.
ASKS = {day + timedelta(days=later) for day in (CLOSES, ROLLOVER) for later in (0, 1)}


def terms(year: int) -> dict[str, Term]:
    """Return the terms of the school year that ends in `year`."""
    begins, middle, ends = date(year - 1, 8, 17), date(year, 1, 15), date(year, 6, 11)
    short = year % 100
    found = (
        Term(f"Y{short}", f"School year {year - 1}-{short}", "schoolYear", begins, ends, year),
        Term(f"F{short}", f"Fall {year - 1}", "term", begins, middle, year),
        Term(f"S{short}", f"Spring {year}", "term", middle + timedelta(days=3), ends, year),
    )
    return {one.id: one for one in found}


# From this day to the rollover there is no term.
SUMMER = terms(2027)["S27"].ends
