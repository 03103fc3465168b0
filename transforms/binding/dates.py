"""Dates of OneRoster's files in other forms than YYYY-MM-DD: read where one meaning is possible.

A year in front leaves no doubt. Day and month in front are read in the order that the feed file
declares or, without one, in the only order that every date of the column allows. What remains stays
as it is, and the check rejects it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import polars as pl

from transforms.findings import Findings, row_findings
from transforms.layouts.expressions import Century, day_of
from transforms.layouts.options import DateOrder
from transforms.moments import DATE
from transforms.schemas import Entity

# What spreadsheets and databases write behind a day; any other time may be of another day.
MIDNIGHT = re.compile(r"[T ](?:0?0:00(?::00(?:\.0+)?)?|12:00(?::00)? ?AM)Z?$")
ORDERS: dict[DateOrder, str] = {"mdy": "the month first", "dmy": "the day first"}
_YEAR_FIRST = re.compile(r"[0-9]{4}.*")
_WHOLE_YEAR = re.compile(r".*[-/. ][0-9]{4}")
# Never a day of the run: only years of two digits need it, and they need `date_order` too.
_ANY_DAY = date(2000, 1, 1)


def read_dates(
    entity: Entity, frame: pl.DataFrame, file: str, declared: DateOrder, today: date
) -> tuple[pl.DataFrame, list[Findings]]:
    """Rewrite the dates of a file as YYYY-MM-DD, and report every column that had another form."""
    found: list[Findings] = []
    for name in (column.name for column in entity.columns if column.kind == "date"):
        if name not in frame.columns:
            continue
        values = _in_other_forms(frame[name])
        if not values:
            continue
        order = declared or proven_order(values)
        century: Century = "birth" if name == "birthDate" else "this"
        days = {value: _read(value, declared, order, today, century) for value in values}
        other = frame.filter(pl.col(name).is_in(values))
        frame = frame.with_columns(pl.col(name).replace(days))
        found += _reports(other, name, days, file, order, declared)
    return frame, found


def _in_other_forms(cells: pl.Series) -> list[str]:
    """Return the distinct values that are not written as YYYY-MM-DD."""
    values = cells.drop_nulls().unique()
    return values.filter(~values.str.contains(DATE)).to_list()


def proven_order(values: Iterable[str]) -> DateOrder:
    """Return the only order in which every date can be read; blank if none or both are possible.

    Dates that are damaged, or have a year of two digits or in front, prove nothing.
    """
    possible = [orders for value in values if (orders := _possible_orders(value))]
    both = set[DateOrder](ORDERS).intersection(*possible)
    return next(iter(both)) if len(both) == 1 else ""


def _possible_orders(value: str) -> set[DateOrder]:
    """Return the orders in which a date with a whole year at its end exists."""
    day = MIDNIGHT.sub("", value)
    if _YEAR_FIRST.fullmatch(day) or not _WHOLE_YEAR.fullmatch(day):
        return set()
    return {order for order in ORDERS if day_of(day, order, _ANY_DAY) != day}


def _read(value: str, declared: DateOrder, order: DateOrder, today: date, century: Century) -> str:
    """Return a date as YYYY-MM-DD; the value itself if its meaning is not certain."""
    day = MIDNIGHT.sub("", value)
    if ":" in day:  # a time that is not midnight: in another zone it is another day
        return value
    if _YEAR_FIRST.fullmatch(day):
        read = day_of(day, "ymd", today)
    elif declared:
        read = day_of(day, declared, today, century)
    else:
        possible = _possible_orders(value)
        meanings = {day_of(day, one, today) for one in possible if order in ("", one)}
        read = meanings.pop() if len(meanings) == 1 else day
    return read if re.fullmatch(DATE, read) else value


def _reports(
    rows: pl.DataFrame,
    column: str,
    days: dict[str, str],
    file: str,
    order: DateOrder,
    declared: DateOrder,
) -> list[Findings]:
    """Report the dates that were read: those with their year in front, and the others.

    The others are as they should be, if the feed file declares their order.
    """
    read = [value for value, day in days.items() if day != value]
    front = [value for value in read if _YEAR_FIRST.fullmatch(value)]
    back = [value for value in read if value not in front]
    detail = f"with {ORDERS[order]}" if order in ORDERS else "each of them can mean one day only"
    back = [] if declared else back
    return [
        part
        for rule, values, words in (("respelled", front, ""), ("date_read", back, detail))
        if (
            part := row_findings(
                rule,
                rows.filter(pl.col(column).is_in(pl.Series(values, dtype=pl.String).implode())),
                file=file,
                entity="",
                column=column,
                value=column,
                detail=words,
            )
        ).notices
    ]
