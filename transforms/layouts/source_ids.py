"""Ids that OneRoster does not allow, such as `TERM:2026`: they are written as `TERM@3a2026`."""

from __future__ import annotations

import re

import polars as pl

from transforms.findings import Findings, row_findings
from transforms.layouts.assemble import EntityRows, RowsByEntity
from transforms.layouts.ids import DISTRICT, escape_source_id
from transforms.layouts.renames import GIVEN_UP
from transforms.schemas import ENTITIES, Column

# Cells that are no ids, so that their rows are rejected: what a spreadsheet has instead of a value
# or makes of a long number, and cells without any letter or digit.
_NO_ID = re.compile(
    r"#(?:REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|N/A)|\d(?:\.\d+)?[eE]\+\d{2,3}|[\W_]+|"
    rf".*{re.escape(GIVEN_UP)}"
)


def escape_source_ids(parts: RowsByEntity) -> tuple[RowsByEntity, list[Findings]]:
    """Escape the characters that ids must not have, in every id and reference; report the ids."""
    done, findings = dict(parts), []
    for name, part in parts.items():
        done[name] = _escaped(name, part)
        changed = part.frame["sourcedId"].ne_missing(done[name].frame["sourcedId"])
        findings.append(
            row_findings(
                "ids_escaped",
                part.frame.filter(changed),
                file=part.file,
                entity=name,
                column="sourcedId",
                value="sourcedId",
            )
        )
    return done, findings


def _escaped(entity: str, part: EntityRows) -> EntityRows:
    columns = [one for one in ENTITIES[entity].current if one.is_id]
    changes = {
        column.name: changed
        for column in columns
        if (changed := _escaped_cells(column, part.frame[column.name])) is not None
    }
    lost = _escaped_cells(ENTITIES[entity]["sourcedId"], part.lost["sourcedId"])
    if lost is not None:
        part = part.with_lost(part.lost.with_columns(sourcedId=lost))
    return part.having(part.frame.with_columns(**changes)) if changes else part


def _escaped_cells(column: Column, cells: pl.Series) -> pl.Series | None:
    """Return the cells with escaped ids; None if no id needs it."""
    ids = cells.drop_nulls().unique()
    escaped = {
        cell: written
        for cell in ids.filter(ids.str.contains(r"[^0-9A-Za-z.\-_/]"))
        if (written := _escape_cell(column, cell)) != cell
    }
    return cells.replace(escaped) if escaped else None


def _escape_cell(column: Column, cell: str) -> str:
    if column.is_list:
        return ",".join(_escape(item.strip()) for item in cell.split(","))
    return _escape(cell)


def _escape(sourced_id: str) -> str:
    if sourced_id == DISTRICT or _NO_ID.fullmatch(sourced_id):
        return sourced_id
    return escape_source_id(sourced_id)
