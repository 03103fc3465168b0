"""Days of the REST binding: read those that a source writes as timestamps.

A value that cannot be read stays as it is, and the check then rejects it with its original text.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from transforms.findings import Findings, row_findings
from transforms.schemas import Column, Entity

UTC = ZoneInfo("UTC")
TIMESTAMP = r"^\d{4}-\d{2}-\d{2}[Tt ]\d"  # how a timestamp begins


def read_days(
    entity: Entity, frame: pl.DataFrame, file: str, zone: ZoneInfo | None, strict: bool
) -> tuple[pl.DataFrame, list[Findings]]:
    """Turn timestamps into days, and report those that the REST binding does not have there.

    `zone` is the time zone of the days; None if nobody has named it. Then a timestamp in UTC is the
    day in UTC, as in all other layouts, and is reported under its own rule. Under `strict`, what
    the binding does not have stays as it is.
    """
    found = []
    for column in entity.columns:
        if column.kind != "date" or column.name not in frame.columns:
            continue
        if strict and not column.moment:
            continue
        cells = frame[column.name]
        days = _with_days(cells, column, zone)
        if not column.moment:
            doubtful = cells.is_in(
                [] if zone else [*filter(needs_zone, cells.drop_nulls().unique())]
            )
            for rule, rows in (("date_with_time", ~doubtful), ("zone_missing", doubtful)):
                changed = frame.filter(days.ne_missing(cells) & rows.fill_null(value=False))
                found.append(_finding(rule, changed, entity, file, column.name))
        frame = frame.with_columns(days)
    return frame, [one for one in found if one.notices]


def _finding(rule: str, rows: pl.DataFrame, entity: Entity, file: str, column: str) -> Findings:
    return row_findings(rule, rows, file=file, entity=entity.name, column=column, value=column)


def _with_days(cells: pl.Series, column: Column, zone: ZoneInfo | None) -> pl.Series:
    """Return the cells of a column with days for timestamps; each distinct one is read once."""
    timestamps = cells.filter(cells.str.contains(TIMESTAMP)).unique()
    known = zone or UTC if column.moment else zone
    return cells.replace({text: day_of(text, known) for text in timestamps})


def day_of(text: str, zone: ZoneInfo | None) -> str:
    """Return the day of a timestamp in a time zone, or the text if its day is not certain.

    Midnight, by whatever offset, is a day that was written as a timestamp: the time zone does not
    matter. The day of another time depends on the zone, and on the timestamp's offset. If no zone
    is known, it is the day that is written.
    """
    timestamp = _timestamp(text)
    if timestamp is None:
        return text
    written = timestamp.date().isoformat()
    if timestamp.time() == time.min:
        return written
    if timestamp.tzinfo is None:
        return text
    if zone is None:
        return written
    try:
        return timestamp.astimezone(zone).date().isoformat()
    except OverflowError:
        return written  # the last day that there is, for what has no end


def needs_zone(text: str) -> bool:
    """Whether the day of a timestamp depends on a time zone: it is in UTC, and not midnight.

    One with another offset was written by the clock of its place.
    """
    timestamp = _timestamp(text)
    return (
        timestamp is not None
        and timestamp.time() != time.min
        and timestamp.utcoffset() == timedelta(0)
    )


def _timestamp(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
