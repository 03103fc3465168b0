"""The day that a drop is about, read from its name, and spans of days.

The file system's dates are never used: copying a file changes them.
"""

from __future__ import annotations

import re
from datetime import date

# A date in a name, such as `larkspur_2026-11-24.zip`, `20261124` or, with a time, `20261124020000`.
DATE_IN_NAME = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?P<separator>[-_.]?)(?P<month>\d\d)(?P=separator)(?P<day>\d\d)"
    r"(?:(?!\d)|(?=(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\d{3})?)?(?!\d)))"
)


def day_in_name(name: str, pattern: re.Pattern[str] = DATE_IN_NAME) -> date | None:
    """Return the day in a drop's name; None if there is none, or more than one.

    The pattern has the groups `year`, `month` and `day`.
    """
    days = days_in_name(name, pattern)
    return days.pop() if len(days) == 1 else None


def days_in_name(name: str, pattern: re.Pattern[str] = DATE_IN_NAME) -> set[date]:
    """Return all days in a drop's name."""
    return {day for found in pattern.finditer(name) if (day := day_of_match(found))}


def day_of_match(found: re.Match[str]) -> date | None:
    """Return the day that a pattern has found; None if there is no such day."""
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def last_day_of_span(spans: list[tuple[date, date]], today: date) -> date | None:
    """Return the last day of the span that contains `today`; None if no span does."""
    return max((last for first, last in spans if first <= today <= last), default=None)
