"""When a feed is due: a cron schedule in the feed's time zone, across daylight saving changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from flows.time_zones import time_zone

# A field's items: `*`, a value, or a range of two different values; `*` and ranges may have steps.
# Steps from a single value (`5/10`) are left out, since programs read them differently.
STEP = "(?:/[0-9]{1,2})?"
PART = re.compile(
    rf"\*{STEP}|[0-9]{{1,2}}|[A-Z]{{3}}|0?([0-9]{{1,2}})-(?!0?\1(?![0-9]))[0-9]{{1,2}}{STEP}"
    rf"|([A-Z]{{3}})-(?!\2)[A-Z]{{3}}{STEP}"
)
# The fields in order, by the names that CronSim's errors end with, and the values of each.
FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31, and a day that one of its months has",
    "month": "1 to 12, or JAN to DEC",
    "day-of-week": "0 to 7, or SUN to SAT",
}
# How far back to look for the last due time, shortest first: February 29 may be eight years ago.
BACK = (timedelta(hours=2), timedelta(days=2), timedelta(days=40), timedelta(days=8 * 366 + 1))
# More than any clock is ever moved forward or back.
CHANGE = timedelta(hours=3)


def check_cron(cron: str) -> str:
    """Check a cron schedule of five fields, and return it as it is.

    Raises `ValueError` for other text, and for what schedulers read differently: `L`, `#`,
    `@daily`, and days of the month together with days of the week.
    """
    fields = dict(zip(FIELDS, cron.upper().split(), strict=False))
    if len(cron.split()) != len(FIELDS):
        raise ValueError(
            f"is {cron!r}; expected five fields ({', '.join(FIELDS)}), such as 0 2 * * *."
        )
    if "*" not in (fields["day-of-month"], fields["day-of-week"]):
        raise ValueError(
            f"is {cron!r}, which names days of the month and of the week; some programs take "
            "either, some both. Leave one of them *."
        )
    unknown = (
        name for name, text in fields.items() if not all(map(PART.fullmatch, text.split(",")))
    )
    wrong = next(unknown, "") or _unreadable_field(cron)
    if wrong:
        raise ValueError(
            f"has {fields[wrong]!r} for {wrong}; expected {FIELDS[wrong]}; also lists, ranges "
            f"and steps of ranges, as in */15 6-8 * * MON,WED.{_as_list(fields[wrong])}"
        )
    return cron


DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def _as_list(field: str) -> str:
    """Return the list to write in place of a range of days that goes over the end of the week."""
    first, _, last = field.partition("-")
    if first not in DAYS or last not in DAYS or DAYS.index(first) <= DAYS.index(last):
        return ""
    days = (*DAYS[DAYS.index(first) :], *DAYS[: DAYS.index(last) + 1])
    return f" A week ends with SAT here: write {','.join(days)}."


def _unreadable_field(cron: str) -> str:
    """Return the name of the field that CronSim refuses; blank if it accepts all of them."""
    try:
        CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return next(name for name in FIELDS if str(error).endswith(name))
    return ""


def last_due(cron: str, zone_name: str, now: datetime) -> datetime | None:
    """Return when a schedule was last due, at or before `now`, in its time zone.

    Returns None if it was not due in the last eight years. Daylight saving is handled as in
    Prefect 3.8: a clock time that occurs twice is due the first time, and one that is skipped is
    due by the new clock. From Python 3.13 on, Prefect takes the old clock for the latter, and
    starts up to an hour later.
    """
    zone, now = time_zone(zone_name), now.astimezone(UTC)
    for back in BACK:
        if due := [time for time in _due_times(cron, zone, now - back, now) if time <= now]:
            return max(due).astimezone(zone)
    return None


def _due_times(cron: str, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the due times from `start` to a little after `end`, in UTC.

    The clock times are in order, but around a change of the clocks the times in UTC are not.
    Hence the margin after `end`.
    """
    first, last = (time.astimezone(zone).replace(tzinfo=None) for time in (start, end + CHANGE))
    return (
        _in_utc(clock, zone)
        for clock in takewhile(lambda clock: clock <= last, CronSim(cron, first))
    )


def _in_utc(clock: datetime, zone: ZoneInfo) -> datetime:
    first, second = (clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    is_skipped = first.astimezone(zone).replace(tzinfo=None) != clock
    return second if is_skipped else first
