"""Report timestamps whose day depends on a time zone that nothing names."""

from __future__ import annotations

import polars as pl

from transforms.findings import Findings, row_findings
from transforms.layouts.expressions import needs_zone
from transforms.layouts.layout import Layout, Rows
from transforms.layouts.match import MatchedFile
from transforms.layouts.options import ReadingOptions


def without_zone(
    layout: Layout, files: dict[str, MatchedFile], dialect: ReadingOptions
) -> list[Findings]:
    """Report timestamps in UTC, column by column, if the feed file names no time zone."""
    if dialect.zone is not None:
        return []
    return [
        _doubtful(files[file.name], rows, name, clock_in_utc)
        for file in layout.files
        if file.name in files
        for (name, clock_in_utc), rows in _dates(file.gives).items()
        if name in files[file.name].cells
    ]


def _dates(gives: tuple[Rows, ...]) -> dict[tuple[str, bool], Rows]:
    """The columns that are read as dates, each with the records that they describe."""
    return {
        one: rows
        for rows in reversed(gives)
        for cell in rows.columns.values()
        for one in cell.dates
    }


def _doubtful(match: MatchedFile, rows: Rows, name: str, clock_in_utc: bool) -> Findings:
    cells = match.frame[name]
    values = [one for one in cells.drop_nulls().unique() if needs_zone(one, clock_in_utc)]
    found = match.frame.filter(pl.col(name).is_in(values))
    return row_findings(
        "zone_missing",
        found,
        file=match.raw.name,
        entity=rows.entity,
        column=match.cells[name],
        value=name,
    )
