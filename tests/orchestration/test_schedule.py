"""When Prefect starts a scheduled night, and when we say that it was due."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prefect.server.schemas.schedules import CronSchedule

from flows.feeds.schedule import last_due
from flows.status import GRACE

CHICAGO = "America/Chicago"


@pytest.mark.parametrize(
    ("cron", "zone", "first"),
    [
        ("30 2 * * *", CHICAGO, datetime(2026, 3, 6, tzinfo=UTC)),
        ("30 2 * * *", "America/New_York", datetime(2026, 3, 6, tzinfo=UTC)),
        ("30 1 * * *", CHICAGO, datetime(2026, 10, 30, tzinfo=UTC)),
        ("*/30 * * * *", "Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC)),
        ("0 2 * * MON-FRI", "Europe/Berlin", datetime(2026, 3, 26, tzinfo=UTC)),
        ("0 5 1 * *", "Asia/Kathmandu", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_night_that_prefect_starts_is_no_missed_night(
    cron: str, zone: str, first: datetime
) -> None:
    """Also when the clocks change; then Prefect may start up to an hour after we expect it."""
    schedule = CronSchedule(cron=cron, timezone=zone)
    dates = asyncio.run(schedule.get_dates(n=12, start=first))

    for start in (datetime.fromtimestamp(date.timestamp(), UTC) for date in dates):
        due = last_due(cron, zone, start)
        assert due is not None
        assert timedelta() <= start - due <= timedelta(hours=1) < GRACE
