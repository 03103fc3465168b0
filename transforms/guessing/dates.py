"""In which order the dates of a drop are written: certain only where a day is greater than twelve."""

from __future__ import annotations

import polars as pl

from transforms.guessing.columns import Seen
from transforms.guessing.draft import Line, quoted

PARTS = r"^(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}"


def order_line(columns: list[Seen]) -> Line | None:
    """The line of `date_order`; open if nothing decides it, None if the drop has no dates that are read."""
    dates = [one for one in columns if one.dates]
    if not dates:
        return None
    cells = pl.concat([one.cells for one in dates]).to_frame("cell")
    parts = cells.select(
        first=pl.col("cell").str.extract(PARTS, 1), second=pl.col("cell").str.extract(PARTS, 2)
    ).drop_nulls()
    names = ", ".join(f"{one.name!r} of {one.file}" for one in dates)
    if not parts.height:
        return Line("date_order", quoted("ymd"), f"the year stands first in {names}")
    first, second = (int((parts[name].cast(pl.Int32) > 12).sum()) for name in ("first", "second"))
    return _decided(first, second, parts.height, names)


def _decided(first: int, second: int, rows: int, names: str) -> Line:
    if first and second * 10 < first:
        return Line(
            "date_order", quoted("dmy"), f"the first number is greater than 12 in {first} of {rows} dates of {names}"
        )
    if second and first * 10 < second:
        return Line(
            "date_order", quoted("mdy"), f"the second number is greater than 12 in {second} of {rows} dates of {names}"
        )
    why = (
        "no number is greater than 12"
        if not first + second
        else f"greater than 12 are {first} first and {second} second numbers"
    )
    return Line("date_order", quoted(""), f"dmy (day first) or mdy? Of {names} {why}", open=True)
