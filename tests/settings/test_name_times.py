"""Several drops of one day: the times in their names order them, or else nothing is guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from flows.dates import DATE_IN_NAME, day_in_name
from flows.errors import SettingsError
from flows.name_times import in_order

ORDERED = (
    ("hours and minutes", "a_2026-11-24_0200.zip", "a_2026-11-24_1400.zip"),
    ("seconds", "a_2026-11-24_015959.zip", "a_2026-11-24_020000.zip"),
    ("dashes", "a_2026-11-24_02-00-00.zip", "a_2026-11-24_14-00-00.zip"),
    ("dots", "a-2026.11.24.02.00.zip", "a-2026.11.24.14.00.zip"),
    ("underscores", "2026_11_24_02_00_roster", "2026_11_24_14_00_roster"),
    ("ISO 8601", "a_20261124T020000Z.zip", "a_20261124T140000Z.zip"),
    ("ISO 8601, long", "2026-11-24T02-00-00.123Z", "2026-11-24T02-00-00.456Z"),
    ("offsets", "a_20261124T0200-0500.zip", "a_20261124T0130-0600.zip"),
    ("one number", "a_20261124020000.zip", "a_20261124140000.zip"),
    ("one number without seconds", "a_202611240200.zip", "a_202611241400.zip"),
    ("one number with milliseconds", "a_20261124020000007.zip", "a_20261124020000123.zip"),
    ("twelve hours", "a_2026-11-24_11-30_AM.zip", "a_2026-11-24_02-00_PM.zip"),
    ("noon and midnight", "a_2026-11-24 12.00am.zip", "a_2026-11-24 12.00pm.zip"),
    ("one digit of twelve hours", "a_2026-11-24_9AM.zip", "a_2026-11-24_2PM.zip"),
    ("an h", "a_2026-11-24_02h00.zip", "a_2026-11-24_14h00.zip"),
    ("seconds since 1970", "a_2026-11-24_1795485600.zip", "a_2026-11-24_1795528800.zip"),
    ("milliseconds since 1970", "1795485600001_2026-11-24.zip", "1795485600002_2026-11-24.zip"),
    ("the time and more", "a_2026-11-24_0200_final.zip", "a_2026-11-24_1400_final.zip"),
)


@pytest.mark.parametrize(
    ("older", "newer"), [case[1:] for case in ORDERED], ids=[case[0] for case in ORDERED]
)
def test_a_time_orders_drops_of_a_day(older: str, newer: str) -> None:
    """As systems write it, whatever comes first by the alphabet."""
    assert [older, newer] == in_order([newer, older], {}, DATE_IN_NAME)


UNCERTAIN = (
    ("no time", "a_2026-11-24.zip", "b_2026-11-24.zip", "say no time"),
    ("one time", "a_2026-11-24.zip", "a_2026-11-24_0200.zip", "not say the time in the same way"),
    ("forms", "a_2026-11-24_0200.zip", "a_2026-11-24_2PM.zip", "not say the time in the same way"),
    ("zone", "a_20261124T0200.zip", "a_20261124T0300Z.zip", "not say the time in the same way"),
    ("the same time", "a_2026-11-24_0200.zip", "b_2026-11-24_0200.zip", "of the same day and time"),
    ("numbers", "a_2026-11-24_1.zip", "a_2026-11-24_2.zip", "say no time"),
    ("two digits", "a_2026-11-24_01.zip", "a_2026-11-24_02.zip", "say no time"),
    ("school years", "a_2026-11-24_2026.zip", "a_2026-11-24_2027.zip", "say no time"),
    ("no time of a day", "a_2026-11-24_2460.zip", "a_2026-11-24_9900.zip", "say no time"),
    ("a moment of another day", "a_2026-11-24_1695485600.zip", "a_2026-11-24_1695528800.zip", "no time"),
    ("two times", "a_2026-11-24_0200_20261124_0300", "a_2026-11-24_0400", "in the same way"),
    ("words", "a_2026-11-24_0200staff.zip", "a_2026-11-24_0300staff.zip", "say no time"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "said"), [case[1:] for case in UNCERTAIN], ids=[case[0] for case in UNCERTAIN]
)
def test_an_order_that_is_not_certain_is_refused(one: str, other: str, said: str) -> None:
    """With both names, and the setting that can order them."""
    with pytest.raises(SettingsError, match="is not certain") as told:
        in_order([one, other], {}, DATE_IN_NAME)

    assert said in str(told.value)
    assert one in str(told.value)
    assert other in str(told.value)
    assert "`drop_date_pattern`" in str(told.value)


def test_digits_that_contradict_the_files_are_no_time() -> None:
    """They may be numbers of schools: the one that was changed later is not the one with more."""
    names = ["a_2026-11-24_0200.zip", "a_2026-11-24_1400.zip"]
    two, three = (datetime(2026, 11, 24, hour, tzinfo=UTC) for hour in (2, 3))

    assert names == in_order(names, dict(zip(names, (two, three), strict=True)), DATE_IN_NAME)
    assert names == in_order(names, dict.fromkeys(names, two), DATE_IN_NAME)
    with pytest.raises(SettingsError, match=f"{names[0]} was changed later"):
        in_order(names, dict(zip(names, (three, two), strict=True)), DATE_IN_NAME)


PATTERNS = (
    (r"(?P<day>\d\d)(?P<month>\d\d)(?P<year>\d{4})", "a_24112026_0200", "a_24112026_1400"),
    (
        r"(?P<hour>\d\d)(?P<minute>\d\d) (?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
        "0900 2026-11-24", "1000 2026-11-24",
    ),
    (r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)_(?P<number>\d+)", "2026-11-24_9", "2026-11-24_10"),
    (
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d) (?P<hour>\d+)(?P<ampm>am|pm)",
        "2026-11-24 11am", "2026-11-24 1pm",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("pattern", "older", "newer"), PATTERNS)
def test_a_pattern_of_the_feed_orders_drops_of_a_day(pattern: str, older: str, newer: str) -> None:
    """By its groups, or by what follows the day if it has none of them."""
    assert [older, newer] == in_order([newer, older], {}, re.compile(pattern))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("a_20261124140000.zip", "2026-11-24"),
        ("a_202611241400.zip", "2026-11-24"),
        ("a_20261124250000.zip", None),
        ("a_2026112414.zip", None),
        ("a_202611241400001.zip", None),
    ],
)
def test_a_day_and_a_time_may_be_one_number(name: str, day: str | None) -> None:
    """If the rest of it is a time."""
    assert day == (str(found) if (found := day_in_name(name)) else None)
