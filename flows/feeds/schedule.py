"""When a feed is due: a cron schedule in the feed's time zone, honest where clocks are changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

# `*`, a value or a range of two that differ; `*` and ranges in steps. Programs differ on steps from a single value.
STEP = "(?:/[0-9]{1,2})?"
PART = re.compile(
    rf"\*{STEP}|[0-9]{{1,2}}|[A-Z]{{3}}|0?([0-9]{{1,2}})-(?!0?\1(?![0-9]))[0-9]{{1,2}}{STEP}|([A-Z]{{3}})-(?!\2)[A-Z]{{3}}{STEP}"
)
# The fields in their order, as a schedule is refused by, and what may stand in each.
FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31, and a day that one of its months has",
    "month": "1 to 12, or JAN to DEC",
    "day-of-week": "0 to 7, or SUN to SAT",
}
# How far back a due moment is looked for, the nearest first: 29 February may be eight years away.
BACK = (timedelta(hours=2), timedelta(days=2), timedelta(days=40), timedelta(days=8 * 366 + 1))
# More than any clock is put forward or back.
CHANGE = timedelta(hours=3)


def checked(cron: str) -> str:
    """Give a schedule of five fields as it is; raise `ValueError`, which says what is wrong, for any other text.

    What schedulers read in different ways is refused: `L`, `#`, `@daily`, and days of month and week together.
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
    strange = (
        name for name, text in fields.items() if not all(map(PART.fullmatch, text.split(",")))
    )
    wrong = next(strange, "") or _unread(cron)
    if wrong:
        raise ValueError(
            f"has {fields[wrong]!r} for {wrong}; expected {FIELDS[wrong]}; also lists, ranges "
            "and steps of ranges, as in */15 6-8 * * MON,WED."
        )
    return cron


def _unread(cron: str) -> str:
    """Name the field that cannot be read; blank if all can."""
    try:
        CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return next(name for name in FIELDS if str(error).endswith(name))
    return ""


def last_due(cron: str, time_zone: str, now: datetime) -> datetime | None:
    """When a schedule was last due, up to and with `now`, in its time zone; None if it was not in the last eight years.

    As Prefect has it: a time that comes twice is due the first time, and one that a change of the clocks leaves out is
    told by the new clock.
    """
    zone, now = ZoneInfo(time_zone), now.astimezone(UTC)
    for back in BACK:
        if due := [one for one in _due(cron, zone, now - back, now) if one <= now]:
            return max(due).astimezone(zone)
    return None


def _due(cron: str, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Give in UTC what is due from `start` to `end`, and a little more: clocks that are changed do not keep its order."""
    first, last = (moment.astimezone(zone).replace(tzinfo=None) for moment in (start, end + CHANGE))
    return (
        _moment(clock, zone)
        for clock in takewhile(lambda clock: clock <= last, CronSim(cron, first))
    )


def _moment(clock: datetime, zone: ZoneInfo) -> datetime:
    first, second = (clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    left_out = first.astimezone(zone).replace(tzinfo=None) != clock
    return second if left_out else first
