"""Ids that OneRoster does not allow, such as `TERM:2026`: they are written as `TERM@3a2026`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from transforms.findings import Findings, row_findings
from transforms.layouts.assemble import EntityRows, RowsByEntity
from transforms.layouts.ids import (
    DISTRICT,
    ESCAPE,
    escape_refused_id,
    escape_source_id,
)
from transforms.roster import Table
from transforms.schemas import ENTITIES, Column
from transforms.schemas.entity import GIVEN_UP, NO_ID

_NO_ID = re.compile(rf"{NO_ID}|.*{re.escape(GIVEN_UP)}")
Escape = Callable[[str], str]


def escape_source_ids(parts: RowsByEntity) -> tuple[RowsByEntity, list[Findings]]:
    """Escape the characters that ids must not have, in every id and reference; report the ids."""
    done, findings = dict(parts), []
    for name, part in parts.items():
        done[name] = _escaped(name, part)
        findings.append(_report(name, part.frame, done[name].frame, part.file))
    return done, findings


def escape_ids_of_tables(tables: dict[str, Table]) -> tuple[dict[str, Table], list[Findings]]:
    """Escape the ids of OneRoster's own files that OneRoster does not allow, and report them.

    All other ids stay, since they may have been loaded. If one of them is what an id would be
    escaped to, that id stays too, and is rejected: two ids never become one.
    """
    taken = _ids_that_look_escaped(tables)

    def escape(sourced_id: str) -> str:
        escaped = escape_refused_id(sourced_id)
        return sourced_id if escaped in taken else escaped

    done, findings = dict(tables), []
    for name, table in tables.items():
        changes = _escaped_columns(name, table.frame, escape)
        lost = _escaped_cells(ENTITIES[name]["sourcedId"], table.lost["sourcedId"], escape)
        done[name] = replace(
            table,
            frame=table.frame.with_columns(**changes),
            lost=table.lost if lost is None else table.lost.with_columns(sourcedId=lost),
        )
        findings.append(_report(name, table.frame, done[name].frame, table.file))
    return done, findings


def _ids_that_look_escaped(tables: dict[str, Table]) -> frozenset[str]:
    return frozenset(
        sourced_id
        for name, table in tables.items()
        for column in ENTITIES[name].current
        if column.is_id
        for cell in table.frame[column.name].drop_nulls().unique().to_list()
        if "@" in cell
        for sourced_id in map(str.strip, cell.split(","))
        if re.search(ESCAPE, sourced_id)
    )


def _report(entity: str, before: pl.DataFrame, after: pl.DataFrame, file: str) -> Findings:
    return row_findings(
        "ids_escaped",
        before.filter(before["sourcedId"].ne_missing(after["sourcedId"])),
        file=file,
        entity=entity,
        column="sourcedId",
        value="sourcedId",
    )


def _escaped(entity: str, part: EntityRows) -> EntityRows:
    changes = _escaped_columns(entity, part.frame, escape_source_id)
    lost = _escaped_cells(ENTITIES[entity]["sourcedId"], part.lost["sourcedId"], escape_source_id)
    if lost is not None:
        part = part.with_lost(part.lost.with_columns(sourcedId=lost))
    return part.having(part.frame.with_columns(**changes)) if changes else part


def _escaped_columns(entity: str, frame: pl.DataFrame, escape: Escape) -> dict[str, pl.Series]:
    return {
        column.name: changed
        for column in ENTITIES[entity].current
        if column.is_id
        and (changed := _escaped_cells(column, frame[column.name], escape)) is not None
    }


def _escaped_cells(column: Column, cells: pl.Series, escape: Escape) -> pl.Series | None:
    """Return the cells with escaped ids; None if no id needs it."""
    ids = cells.drop_nulls().unique()
    escaped = {
        cell: written
        for cell in ids.filter(ids.str.contains(r"[^0-9A-Za-z.\-_/]"))
        if (written := _escape_cell(column, cell, escape)) != cell
    }
    return cells.replace(escaped) if escaped else None


def _escape_cell(column: Column, cell: str, escape: Escape) -> str:
    if column.is_list:
        return ",".join(_escape(item.strip(), escape) for item in cell.split(","))
    return _escape(cell, escape)


def _escape(sourced_id: str, escape: Escape) -> str:
    if sourced_id == DISTRICT or _NO_ID.fullmatch(sourced_id):
        return sourced_id
    return escape(sourced_id)
