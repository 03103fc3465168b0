"""When a feed is due: what a schedule may say, and when it was due last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.feeds.schedule import check_cron, last_due
from tests.settings.test_settings import feed, problems

SANDBOX = 'drop = "d"\ntime_zone = "America/Chicago"\n[target]\nurl = "sandbox"\n'
CHICAGO = "America/Chicago"
CRONS = [
    "0 2 * * *",
    "*/30 * * * *",
    "15 1-3 * * *",
    "0 2 * * MON-FRI",
    "30 2 1,15 * *",
    "0 5 * jan-mar *",
    "0 2 29 2 *",
]
ZONES = [CHICAGO, "UTC", "Australia/Lord_Howe", "Europe/Berlin", "America/Havana", "Asia/Kathmandu"]
MOMENTS = st.integers(0, 20 * 365 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def due(cron: str, now: str, zone: str = CHICAGO) -> str:
    """When a schedule was last due at a moment, both in UTC."""
    found = last_due(cron, zone, datetime.fromisoformat(now).replace(tzinfo=UTC))
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M}" if found else "never"


def test_a_file_may_have_a_schedule(tmp_path: Path) -> None:
    """Without one a feed is never due; one may be paused."""
    plain = feed(tmp_path, SANDBOX).schedule
    said = feed(tmp_path, SANDBOX + '[schedule]\ncron = "30 2 * * MON-FRI"\npaused = true').schedule

    assert (None, False) == (plain.cron, plain.paused)
    assert ("30 2 * * MON-FRI", True) == (said.cron, said.paused)


@pytest.mark.parametrize("cron", CRONS)
def test_schedules_of_five_fields_are_taken_as_they_are(cron: str) -> None:
    """Numbers, names, lists, ranges and steps."""
    assert cron == check_cron(cron)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("", "blank"),
        ("@daily", "five fields"),
        ("0 0 2 * * *", "five fields"),
        ("0 2 * *", "five fields"),
        ("60 2 * * *", "'60' for minute; expected 0 to 59"),
        ("0 24 * * *", "'24' for hour; expected 0 to 23"),
        ("0 2 0 * *", "'0' for day-of-month; expected 1 to 31"),
        ("0 2 31 2 *", "a day that one of its months has"),
        ("0 2 * 13 *", "'13' for month; expected 1 to 12"),
        ("0 2 * * MONDAY", "'MONDAY' for day-of-week; expected 0 to 7, or SUN to SAT"),
        ("0 2 * * FOO", "'FOO' for day-of-week"),
        ("0 2 L * *", "'L' for day-of-month"),
        ("0 2 * * 1#2", "'1#2' for day-of-week"),
        ("0 2 * * FRI-MON", "'FRI-MON' for day-of-week"),
        ("0 2 * * FRI-MON", "write FRI,SAT,SUN,MON."),
        ("0 2 * * 1-01", "'1-01' for day-of-week"),
        ("5/15 * * * *", "'5/15' for minute"),
        ("*/0 * * * *", "'*/0' for minute"),
        ("0 2, * * *", "'2,' for hour"),
        ("٣ 2 * * *", "'٣' for minute"),
        ("0 2 1 * MON", "Leave one of them *"),
    ],
)
def test_any_other_text_is_refused_with_the_field_that_is_wrong(
    tmp_path: Path, cron: str, words: str
) -> None:
    """Also what schedulers read in different ways."""
    (problem,) = problems(tmp_path, f'{SANDBOX}[schedule]\ncron = "{cron}"')

    assert "`schedule.cron` " in problem
    assert words in problem


@pytest.mark.parametrize(
    ("cron", "now", "expected"),
    [
        ("0 2 * * *", "2026-11-24 07:59", "2026-11-23 08:00"),
        ("0 2 * * *", "2026-11-24 08:00", "2026-11-24 08:00"),
        ("0 2 * * MON", "2026-11-24 12:00", "2026-11-23 08:00"),
        ("0 0 1 1 *", "2026-11-24 12:00", "2026-01-01 06:00"),
        ("0 0 29 2 *", "2027-11-24 12:00", "2024-02-29 06:00"),
        # 8 March 2026: the clocks go from 2:00 to 3:00, at 8:00 in UTC.
        ("30 2 * * *", "2026-03-08 07:29", "2026-03-07 08:30"),
        ("30 2 * * *", "2026-03-08 12:00", "2026-03-08 07:30"),
        ("30 2 * * *", "2026-03-09 12:00", "2026-03-09 07:30"),
        # 1 November 2026: the clocks go from 2:00 back to 1:00, at 7:00 in UTC.
        ("30 1 * * *", "2026-11-01 06:30", "2026-11-01 06:30"),
        ("30 1 * * *", "2026-11-01 07:15", "2026-11-01 06:30"),
        ("30 1 * * *", "2026-11-01 12:00", "2026-11-01 06:30"),
    ],
)
def test_a_feed_is_due_by_the_clocks_of_its_zone(cron: str, now: str, expected: str) -> None:
    """Once a night, also on the two nights on which the clocks are changed."""
    assert expected == due(cron, now)


@given(st.sampled_from(CRONS), st.sampled_from(ZONES), MOMENTS)
def test_what_was_due_last_is_past_and_stays_the_last(cron: str, zone: str, now: datetime) -> None:
    """It is never after now, and nothing was due between the two."""
    found = last_due(cron, zone, now)

    assert found is not None
    found = found.astimezone(UTC)
    assert found <= now
    assert [found, found] == [
        again.astimezone(UTC)
        for moment in (found, found + (now - found) / 2)
        if (again := last_due(cron, zone, moment)) is not None
    ]


@given(st.sampled_from(ZONES), MOMENTS)
def test_every_day_has_one_due_moment(zone: str, now: datetime) -> None:
    """From one to the next of a nightly schedule it is a day, give or take what the clocks are changed by."""
    last = last_due("30 2 * * *", zone, now)
    assert last is not None
    before = last_due("30 2 * * *", zone, last.astimezone(UTC) - timedelta(seconds=1))

    assert before is not None
    assert (
        timedelta(hours=22) <= last.astimezone(UTC) - before.astimezone(UTC) <= timedelta(hours=26)
    )
