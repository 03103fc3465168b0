"""What a spreadsheet does to a file that is opened and saved in it: ranges become dates, long numbers are rounded, zeros are lost.

All of it is told. It is mended only where a feed's file says `repair`, and only where no other reading is possible;
else a damaged grade is left out, and a damaged id rejects its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from transforms.findings import ROW, Findings, of_rows
from transforms.layouts.assemble import Part, Parts
from transforms.layouts.vocabulary import GRADES, grade_of
from transforms.schemas import ENTITIES, Column

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = rf"(?i)^(?:\d{{1,2}}-(?:{'|'.join(MONTHS)})|(?:{'|'.join(MONTHS)})-\d{{1,2}})$"
_NUMBER = r"^\d(?:\.\d+)?[eE]\+\d{2,3}$"


def mended(parts: Parts, repair: bool) -> tuple[Parts, list[Findings]]:
    """Find the damage in every entity, and mend it if that is wanted."""
    found: list[Findings] = []
    for name in parts:
        for kind in (_grades, _numbers, _zeros):
            part, told = kind(name, parts, repair)
            parts = parts | {name: part}
            found += told
    return parts, found


def _grades(entity: str, parts: Parts, repair: bool) -> tuple[Part, list[Findings]]:
    """`8-Jun` was `6-8`: the day and the month of a date are the two ends of a range of grades."""
    part = parts[entity]
    if "grades" not in part.frame.columns:
        return part, []
    items = part.frame.select(ROW, "sourcedId", value=pl.col("grades").str.split(",")).explode(
        "value", empty_as_null=True, keep_nulls=True
    )
    damaged = items.filter(pl.col("value").str.contains(_DATE))
    if not damaged.height:
        return part, []
    meant = {word: _range(word) if repair else "" for word in damaged["value"].unique()}
    told = [
        _told(
            "spreadsheet_date", damaged, part, entity, "grades", "mended" if repair else "left out"
        )
    ]
    cells = {cell: _replaced(cell, meant) for cell in part.frame["grades"].drop_nulls().unique()}
    frame = part.frame.with_columns(
        pl.col("grades").replace({cell: new or None for cell, new in cells.items()})
    )
    return part.having(frame), told


def _range(word: str) -> str:
    """The grades of `8-Jun`: the lower number first."""
    ends = [
        MONTHS.index(end.casefold()) + 1 if end.isalpha() else int(end) for end in word.split("-")
    ]
    low, high = sorted(ends)
    return (
        grade_of(f"{low}-{high}", {})
        if str(high) in GRADES and low != high
        else GRADES.get(str(low), "")
    )


def _replaced(cell: str, meant: dict[str, str]) -> str:
    items = [
        grade for item in cell.split(",") for grade in meant.get(item, item).split(",") if grade
    ]
    return ",".join(dict.fromkeys(items))


def _numbers(entity: str, parts: Parts, repair: bool) -> tuple[Part, list[Findings]]:
    """`3.60E+11` is an id of which most digits are lost; with as many digits as it needs it can be written out."""
    part, found = parts[entity], list[Findings]()
    frame = part.frame
    for column in _ids(entity):
        rows = frame.filter(pl.col(column.name).str.contains(_NUMBER))
        if not rows.height:
            continue
        whole = {word: _digits(word) if repair else word for word in rows[column.name].unique()}
        fixed = rows.filter(pl.col(column.name).replace(whole) != pl.col(column.name))
        lost = rows.join(fixed.select(ROW), on=ROW, how="anti", maintain_order="left")
        found += [
            _told("spreadsheet_number", lost, part, entity, column.name),
            _told("spreadsheet_mended", fixed, part, entity, column.name),
        ]
        frame = frame.with_columns(pl.col(column.name).replace(whole))
    return part.having(frame), found


def _digits(word: str) -> str:
    mantissa, power = re.split("[eE]", word)
    return str(int(Decimal(word))) if len(mantissa.partition(".")[2]) >= int(power) else word


def _zeros(entity: str, parts: Parts, repair: bool) -> tuple[Part, list[Findings]]:
    """A reference that leads nowhere but for its zeros: one of two files has lost them, or has too many."""
    part, found = parts[entity], list[Findings]()
    frame = part.frame
    for column in (
        column for column in _ids(entity) if column.refers in parts and not column.is_list
    ):
        ids = parts[column.refers or ""].frame["sourcedId"].drop_nulls().unique()
        astray = frame.filter(
            pl.col(column.name).is_not_null() & ~pl.col(column.name).is_in(ids.implode())
        )
        if not astray.height:
            continue
        bare = pl.DataFrame({"id": ids}).with_columns(
            pl.col("id").str.strip_chars_start("0").alias("bare")
        )
        meant = dict(bare.filter(~pl.col("bare").is_duplicated()).select("bare", "id").iter_rows())
        word = pl.col(column.name).str.strip_chars_start("0")
        rows = astray.filter(word.is_in(list(meant)))
        if rows.height:
            found.append(
                _told(
                    "zeros_differ",
                    rows,
                    part,
                    entity,
                    column.name,
                    "mended" if repair else "not mended",
                )
            )
        if rows.height and repair:
            here = pl.col(ROW).is_in(rows[ROW].implode())
            frame = frame.with_columns(
                pl.when(here).then(word.replace(meant)).otherwise(column.name).alias(column.name)
            )
    return part.having(frame), found


def _ids(entity: str) -> Iterator[Column]:
    return (column for column in ENTITIES[entity].current if column.is_id)


def _told(
    rule: str, rows: pl.DataFrame, part: Part, entity: str, column: str, detail: str = ""
) -> Findings:
    value = "value" if "value" in rows.columns else column
    return of_rows(
        rule, rows, file=part.file, entity=entity, column=column, value=value, detail=detail
    )
