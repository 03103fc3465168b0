"""What a feed file says of limits, policies, dates and the calendar."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from flows.dates import day_in_name, last_day_of_span
from flows.errors import SettingsError
from flows.feeds.feed import Feed, read_feed

TODAY = date(2026, 11, 24)
LEAST = 'drop = "drop"\n[target]\nurl = "sandbox"\n'


def feed(folder: Path, head: str = "", tail: str = "") -> Feed:
    """Read a feed file with some lines more."""
    path = folder / "larkspur.toml"
    path.write_text(f"{head}\n{LEAST}{tail}\n")
    return read_feed(path)


def refusal(folder: Path, head: str = "", tail: str = "") -> str:
    """What is said of a feed file that cannot be meant."""
    with pytest.raises(SettingsError) as error:
        feed(folder, head, tail)
    return str(error.value)


def test_limits_have_defaults_and_can_be_set(tmp_path: Path) -> None:
    """One number more in the file is one number changed."""
    limits = feed(
        tmp_path, tail="[limits]\nvanished_percent = 5\nentities = { enrollments = 40 }"
    ).limits.limits

    assert (5, 40, 25, 75, 20) == (
        limits.vanished("classes"),
        limits.vanished("enrollments"),
        limits.vanished_records,
        limits.updated_percent,
        limits.rejected_percent,
    )


def test_limits_can_be_raised_for_a_while(tmp_path: Path) -> None:
    """Up to and with the day; what is not named stays as it is, and other numbers are another raise."""
    said = feed(
        tmp_path,
        tail="[limits]\nschool_percent = 20\n[limits.once]\nuntil = 2026-11-24\nvanished_percent = 60",
    ).limits
    other = feed(tmp_path, tail="[limits.once]\nuntil = 2026-11-24\nvanished_percent = 61").limits

    raised = said.raised(TODAY)

    assert raised is not None
    assert (60, 20) == (raised.vanished_percent, raised.school_percent)
    assert said.raised(date(2026, 11, 25)) is None
    assert said.once
    assert other.once
    assert said.once.name != other.once.name


def test_days_of_the_calendar(tmp_path: Path) -> None:
    """Single days and spans; the last day is reported."""
    calendar = feed(
        tmp_path, tail='[calendar]\nblackout = ["2026-11-24", "2026-12-20..2027-01-04"]'
    ).calendar

    assert (TODAY, None, date(2027, 1, 4)) == tuple(
        last_day_of_span(calendar.blackout, day)
        for day in (TODAY, date(2026, 11, 25), date(2027, 1, 4))
    )


WRONG = (
    (
        "",
        "[limits]\nvanished_percent = 110",
        "`limits.vanished_percent` is 110; expected at most 100.",
    ),
    (
        "",
        '[limits]\nschool_percent = "x"',
        "`limits.school_percent` is 'x'; expected a number without quotes.",
    ),
    ("", "[limits]\nvanished = 5", "`limits.vanished` is not a setting: did you mean 'vanished_"),
    ("", "[limits.once]\nvanished_percent = 50", "`limits.once.until` is missing."),
    (
        "",
        '[calendar]\nblackout = ["christmas"]',
        "`calendar.blackout` has 'christmas'; expected a day or two",
    ),
    (
        "",
        '[calendar]\nblackout = ["2027-01-04..2026-12-20"]',
        "`calendar` has blackout days that end before they begin",
    ),
    ("", '[removed]\norgs = "disable"', "`removed` says 'disable' of orgs, which cannot be done"),
    (
        'max_age = "two days"',
        "",
        "`max_age` is 'two days'; expected hours or days, such as 36h or 2d.",
    ),
    ('drop_date_pattern = "(x"', "", "`drop_date_pattern` is no regular expression"),
    ('drop_date_pattern = "x"', "", "`drop_date_pattern` lacks a group"),
)


@pytest.mark.parametrize(("head", "tail", "said"), WRONG, ids=[case[2][:40] for case in WRONG])
def test_what_cannot_be_meant(head: str, tail: str, said: str, tmp_path: Path) -> None:
    """One sentence: key, found, expected."""
    assert said in refusal(tmp_path, head, tail)


NAMES = (
    ("larkspur_2026-11-24.zip", TODAY), ("export-20261124", TODAY), ("2026_11_24_larkspur", TODAY),
    ("larkspur", None), ("larkspur-20269924", None), ("20260101-20261124", None), ("id120261124", None),
)  # fmt: skip


@pytest.mark.parametrize(("name", "day"), NAMES)
def test_the_date_in_a_name(name: str, day: date | None) -> None:
    """One date, or none at all; two say nothing."""
    assert day == day_in_name(name)


def test_a_feed_knows_its_drops_date(tmp_path: Path) -> None:
    """From the name, by a pattern of its own, or as it says."""
    pattern = 'drop_date_pattern = "(?P<day>\\\\d\\\\d)(?P<month>\\\\d\\\\d)(?P<year>\\\\d{4})"'
    named = LEAST.replace('"drop"', '"drop_24112026"')
    (tmp_path / "larkspur.toml").write_text(f"{pattern}\n{named}")

    assert TODAY == read_feed(tmp_path / "larkspur.toml").dated
    assert TODAY == feed(tmp_path, "drop_date = 2026-11-24").dated
