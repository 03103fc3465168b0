"""Damage by a spreadsheet in which a file was opened and saved.

Ranges become dates, long numbers are rounded, and leading zeros are lost. Every case is reported.
Values are repaired only if the feed file sets `repair`, and only if one meaning is possible.
Otherwise a damaged grade is left out, and a damaged id rejects its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from transforms.findings import ROW, Findings, row_findings
from transforms.layouts.assemble import EntityRows, RowsByEntity
from transforms.layouts.vocabulary import GRADES, grade_of
from transforms.schemas import ENTITIES, Column

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "|".join(MONTHS)
_DATE = rf"(?i)^(?:[0-9]{{1,2}}-(?:{_MONTH})|(?:{_MONTH})-[0-9]{{1,2}})$"
_NUMBER = r"^[0-9](?:\.[0-9]+)?[eE]\+[0-9]{2,3}$"


def check_spreadsheet_damage(
    parts: RowsByEntity, repair: bool
) -> tuple[RowsByEntity, list[Findings]]:
    """Find the damage in every entity, and repair it if `repair` is set."""
    findings: list[Findings] = []
    for name in parts:
        for check in (_check_dates, _check_numbers, _check_zeros):
            part, reported = check(name, parts, repair)
            parts = parts | {name: part}
            findings += reported
    return parts, findings


def _check_dates(
    entity: str, parts: RowsByEntity, repair: bool
) -> tuple[EntityRows, list[Findings]]:
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
    grades = {word: _grades_of(word) if repair else "" for word in damaged["value"].unique()}
    repaired = pl.col("value").is_in([word for word, meant in grades.items() if meant])
    findings = [
        _finding("spreadsheet_mended", damaged.filter(repaired), part, entity, "grades"),
        _finding("spreadsheet_date", damaged.filter(~repaired), part, entity, "grades", "left out"),
    ]
    cells = {
        cell: _replace_items(cell, grades) or None
        for cell in part.frame["grades"].drop_nulls().unique()
    }
    return part.having(part.frame.with_columns(pl.col("grades").replace(cells))), findings


def _grades_of(word: str) -> str:
    """The grades that `8-Jun` means; blank if it is no range of grades."""
    ends = [
        MONTHS.index(end.casefold()) + 1 if end.isalpha() else int(end) for end in word.split("-")
    ]
    low, high = sorted(ends)
    return (
        grade_of(f"{low}-{high}", {})
        if str(high) in GRADES and low != high
        else GRADES.get(str(low), "")
    )


def _replace_items(cell: str, grades: dict[str, str]) -> str:
    items = [
        grade for item in cell.split(",") for grade in grades.get(item, item).split(",") if grade
    ]
    return ",".join(dict.fromkeys(items))


def _check_numbers(
    entity: str, parts: RowsByEntity, repair: bool
) -> tuple[EntityRows, list[Findings]]:
    """`3.60E+11` was a long id. It can be repaired only if it still has all of its digits."""
    part, findings = parts[entity], list[Findings]()
    frame = part.frame
    for column in _id_columns(entity):
        rows = frame.filter(pl.col(column.name).str.contains(_NUMBER))
        if not rows.height:
            continue
        digits = {word: _digits(word) if repair else word for word in rows[column.name].unique()}
        repaired = rows.filter(pl.col(column.name).replace(digits) != pl.col(column.name))
        lost = rows.join(repaired.select(ROW), on=ROW, how="anti", maintain_order="left")
        findings += [
            _finding("spreadsheet_number", lost, part, entity, column.name),
            _finding("spreadsheet_mended", repaired, part, entity, column.name),
        ]
        frame = frame.with_columns(pl.col(column.name).replace(digits))
    return part.having(frame), findings


def _digits(word: str) -> str:
    """Write out `3.6012E+4`; return the word itself if digits are lost."""
    mantissa, power = re.split("[eE]", word)
    return str(int(Decimal(word))) if len(mantissa.partition(".")[2]) >= int(power) else word


def _check_zeros(
    entity: str, parts: RowsByEntity, repair: bool
) -> tuple[EntityRows, list[Findings]]:
    """A reference that is unknown, but known without its leading zeros, or with more of them."""
    part, findings = parts[entity], list[Findings]()
    frame = part.frame
    for column in _id_columns(entity):
        if column.refers not in parts or column.is_list:
            continue
        ids = parts[column.refers or ""].frame["sourcedId"].drop_nulls().unique()
        unknown = frame.filter(
            pl.col(column.name).is_not_null() & ~pl.col(column.name).is_in(ids.implode())
        )
        if not unknown.height:
            continue
        bare = pl.DataFrame({"id": ids}).with_columns(
            pl.col("id").str.strip_chars_start("0").alias("bare")
        )
        known = dict(bare.filter(~pl.col("bare").is_duplicated()).select("bare", "id").iter_rows())
        word = pl.col(column.name).str.strip_chars_start("0")
        rows = unknown.filter(word.is_in(list(known)))
        if not rows.height:
            continue
        rule, detail = ("spreadsheet_mended", "") if repair else ("zeros_differ", "not mended")
        findings.append(_finding(rule, rows, part, entity, column.name, detail))
        if repair:
            damaged = pl.col(ROW).is_in(rows[ROW].implode())
            frame = frame.with_columns(
                pl.when(damaged).then(word.replace(known)).otherwise(column.name).alias(column.name)
            )
    return part.having(frame), findings


def _id_columns(entity: str) -> Iterator[Column]:
    return (column for column in ENTITIES[entity].current if column.is_id)


def _finding(
    rule: str, rows: pl.DataFrame, part: EntityRows, entity: str, column: str, detail: str = ""
) -> Findings:
    value = "value" if "value" in rows.columns else column
    return row_findings(
        rule, rows, file=part.file, entity=entity, column=column, value=value, detail=detail
    )
