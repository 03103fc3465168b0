"""Days: of which one a drop is, as its name or the feed's file says and never the file system; and days of the calendar."""

from __future__ import annotations

import re
from datetime import date

# One date in a name, such as `larkspur_2026-11-24.zip` or `20261124`; two different ones say nothing.
DATED = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?P<separator>[-_.]?)(?P<month>\d\d)(?P=separator)(?P<day>\d\d)(?!\d)"
)


def dated(name: str, pattern: re.Pattern[str] = DATED) -> date | None:
    """Read the day out of a drop's name by a pattern with groups `year`, `month` and `day`; None if it says none."""
    days = days_in(name, pattern)
    return days.pop() if len(days) == 1 else None


def days_in(name: str, pattern: re.Pattern[str] = DATED) -> set[date]:
    """Read all the days out of a drop's name."""
    return {day for found in pattern.finditer(name) if (day := _day(found))}


def _day(found: re.Match[str]) -> date | None:
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def last_day(spans: list[tuple[date, date]], today: date) -> date | None:
    """The last day of the span that today is in; None if it is in none."""
    return max((last for first, last in spans if first <= today <= last), default=None)
