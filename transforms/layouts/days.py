"""Dates in a declared order -> `YYYY-MM-DD`; what is not a date in that order stays as it was."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from transforms.layouts.dialect import DateOrder

Century = Literal["this", "birth"]
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.]?)(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
YOUNGEST, OLDEST = 2, 100


def day_of(text: str, order: DateOrder, today: date, century: Century = "this") -> str:
    """Give a day. A year of four digits in front is certain in any order; one of two digits is of this century.

    With `century` birth it is of the century that makes the person between two and a hundred years old.
    """
    cell = text.strip()
    if found := _YEAR_FIRST.fullmatch(cell):
        year, separator, month, day = found.groups()
        return _written(int(year), month, day, text) if separator or len(month + day) == 4 else text
    if order == "ymd" or not (found := _YEAR_LAST.fullmatch(cell)):
        return text
    first, _, second, year = found.groups()
    month, day = (first, second) if order != "dmy" else (second, first)
    full = int(year) if len(year) == 4 else _year(int(year), today, century)
    return _written(full, month, day, text) if full else text


def _year(short: int, today: date, century: Century) -> int:
    here = today.year - today.year % 100 + short
    if century == "this":
        return here
    return next((year for year in (here, here - 100) if YOUNGEST <= today.year - year <= OLDEST), 0)


def _written(year: int, month: str, day: str, text: str) -> str:
    try:
        return date(year, int(month), int(day)).isoformat()
    except ValueError:
        return text
