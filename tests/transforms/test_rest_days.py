"""Timestamps in place of days: which day they are, and where that is certain."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import polars as pl
import pytest

from transforms.binding.days import day_of, read_days
from transforms.findings import ROW
from transforms.schemas import ENTITIES

BERLIN, CHICAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-08-31T22:00:00Z", BERLIN, "2026-09-01"),
        ("2026-12-18T23:00:00.000Z", BERLIN, "2026-12-19"),
        ("2026-09-09T04:59:59.000Z", CHICAGO, "2026-09-08"),
        ("2026-08-31 22:00:00+00:00", BERLIN, "2026-09-01"),
        ("9999-12-31T23:59:59Z", BERLIN, "9999-12-31"),
        # Midnight is a day by the clock of whoever wrote it.
        ("2026-09-01T00:00:00+02:00", BERLIN, "2026-09-01"),
        ("2026-09-01T00:00:00-04:00", CHICAGO, "2026-09-01"),
        ("2026-09-08T00:00:00.000Z", CHICAGO, "2026-09-08"),
        ("2026-09-08t00:00:00z", CHICAGO, "2026-09-08"),
        ("2026-09-08T00:00:00", CHICAGO, "2026-09-08"),
        ("2026-09-08T00:00:00Z", None, "2026-09-08"),
        # No one has named the time zone.
        ("2026-08-31T22:00:00Z", None, "2026-08-31"),
        ("2026-08-31T22:00:00-04:00", None, "2026-08-31"),
    ],
)
def test_a_timestamp_is_a_day(text: str, zone: ZoneInfo | None, day: str) -> None:
    """By the clocks of the feed's time zone, whatever the offset."""
    assert day == day_of(text, zone)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-09-08T10:00:00", CHICAGO),  # by which clock?
        ("2026-02-30T10:00:00Z", CHICAGO),
        ("2026-09-08T10", None),
        ("Tonight", CHICAGO),
    ],
)
def test_a_day_that_is_not_certain_stays_as_it_is(text: str, zone: ZoneInfo | None) -> None:
    """The check rejects it with its own text."""
    assert text == day_of(text, zone)


@pytest.mark.parametrize(
    ("entity", "column", "strict", "day"),
    [
        ("academicSessions", "startDate", False, "2026-09-01"),
        ("academicSessions", "startDate", True, "2026-08-31T22:00:00Z"),
        ("lineItems", "dueDate", False, "2026-09-01"),
        ("lineItems", "dueDate", True, "2026-09-01"),
    ],
)
def test_days_of_a_column_are_read(entity: str, column: str, strict: bool, day: str) -> None:
    """What the binding has as a timestamp is read under `--strict` too; nothing else is."""
    frame = pl.DataFrame({ROW: [1, 2, 3], column: ["2026-08-31T22:00:00Z", None, "2026-09-02"]})

    read, found = read_days(ENTITIES[entity], frame, "file.csv", BERLIN, strict)

    assert [day, None, "2026-09-02"] == read[column].to_list()
    wanted = [("date_with_time", column, 1)] if entity == "academicSessions" and not strict else []
    assert wanted == [(one.rule, one.column, one.count) for part in found for one in part.notices]


def test_a_day_in_no_known_time_zone_names_the_setting() -> None:
    """In UTC it is the day in UTC; by another clock, the day there. Without an offset it stays as it is."""
    cells = [
        "2026-08-31T22:00:00Z",
        "2026-09-01T00:00:00Z",
        "2026-09-08T10:00:00",
        "2026-09-08T23:30:00+02:00",
    ]
    frame = pl.DataFrame({ROW: [1, 2, 3, 4], "startDate": cells})

    read, found = read_days(
        ENTITIES["academicSessions"], frame, "academicSessions.csv", None, strict=False
    )

    assert ["2026-08-31", "2026-09-01", cells[2], "2026-09-08"] == read["startDate"].to_list()
    assert [
        ("date_with_time", ((2, cells[1]), (4, cells[3]))),
        ("zone_missing", ((1, cells[0]),)),
    ] == [(one.rule, one.examples) for part in found for one in part.notices]


def test_a_timestamp_of_the_binding_is_a_day_in_utc_if_no_zone_is_named() -> None:
    """As the binding writes it."""
    frame = pl.DataFrame({ROW: [1], "dueDate": ["2026-09-08T22:00:00Z"]})

    read, _ = read_days(ENTITIES["lineItems"], frame, "lineItems.csv", None, strict=False)

    assert ["2026-09-08"] == read["dueDate"].to_list()
