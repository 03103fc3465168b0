"""Ids that a source has changed, given their old ones back: a target cannot rename a record, and others know it by its id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from transforms.findings import Findings, gather, of_file
from transforms.raw import RawFile
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES, Column, Entity

FILE = "ids.csv"
OLD, NEW, ENTITY = "old", "new", "entity"
# (entity, new id) -> the id that the target knows.
Renamed = Mapping[tuple[str, str], str]


def renamed(roster: Roster, ids: RawFile | None, found: Findings) -> Roster:
    """Write the `old` id wherever a roster has the `new` one, of the `entity` that a line names or, blank, of any.

    `found` is what was found when a file outside the drop was read.
    """
    roster = replace(roster, findings=gather([roster.findings, *_outside(found)]))
    if ids is None:
        return roster
    if wrong := unclear(ids):
        return replace(roster, findings=gather([roster.findings, of_file("ids_unclear", "", wrong)]))
    tables = {name: _renamed(table, ids.frame) for name, table in roster.tables.items()}
    told = of_file("ids_renamed", ids.name, count=ids.frame.height)
    return replace(roster, tables=tables, findings=gather([roster.findings, told]))


def _outside(found: Findings) -> Iterator[Findings]:
    """A file of ids that cannot be read refuses the drop: without it everybody would seem to be somebody else."""
    for file, rule in found.fatal.select("file", "rule").unique(maintain_order=True).iter_rows():
        yield of_file("ids_unclear", "", f"{file or FILE}: {rule}")


def file_of_ids(files: dict[str, RawFile]) -> RawFile | None:
    """The file of ids among those of a drop."""
    return next((file for name, file in files.items() if name.casefold() == FILE), None)


def readable_in(ids: RawFile | None) -> frozenset[str]:
    """The new ids that are made of something: lines of the file name records by them, also if such ids are made otherwise by now."""
    if ids is None or NEW not in ids.frame.columns:
        return frozenset()
    return frozenset(ids.frame[NEW].drop_nulls().filter(ids.frame[NEW].drop_nulls().str.contains("/")))


def unclear(ids: RawFile) -> str:
    """Why a file of ids cannot be used; blank if it can."""
    lacking = [name for name in (OLD, NEW) if name not in ids.frame.columns]
    if lacking:
        return f"{ids.name} lacks the column {lacking[0]}; its header is old,new or old,new,entity"
    if ids.ragged or ids.frame.select(pl.col(OLD).is_null() | pl.col(NEW).is_null()).to_series().any():
        return f"{ids.name} has a line without an old or a new id"
    pairs = ids.frame.select(OLD, NEW, *([ENTITY] if ENTITY in ids.frame.columns else []))
    for name in (OLD, NEW):
        same = pairs.select(pair for pair in pairs.columns if pair not in {OLD, NEW} - {name})
        if same.is_duplicated().any():
            twice = same.filter(same.is_duplicated())[name][0]
            return f"{ids.name} names the {name} id {twice} twice"
    return ""


def _renamed(table: Table, ids: pl.DataFrame) -> Table:
    lost = table.lost.with_columns(_old(pl.col("sourcedId"), _of(table.entity.name, ids)))
    return replace(table, frame=with_old(table.frame, table.entity, ids), lost=lost)


def remembering(ids: pl.DataFrame, known: Renamed) -> Renamed:
    """What a file of old and new ids (with entities) adds to what is known, as (entity, new id) -> the first id of all."""
    said = ids.filter(pl.col(ENTITY).is_in(list(ENTITIES))).select(ENTITY, NEW, OLD)
    found: dict[tuple[str, str], str] = {}
    for entity, new, old in said.iter_rows():  # one after the other: an id may change twice
        found[entity, new] = found.get((entity, old), known.get((entity, old), old))
    return found


def frame_of(renamed: Renamed) -> pl.DataFrame:
    """Write it as a file of ids."""
    rows = [(was, new, entity) for (entity, new), was in renamed.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys((OLD, NEW, ENTITY), pl.String), orient="row")


def with_old(frame: pl.DataFrame, entity: Entity, ids: pl.DataFrame) -> pl.DataFrame:
    """Write the old ids in each column of an entity that holds ids."""
    columns = [column for column in entity.current if column.is_id]
    return frame.with_columns(_in(column, entity, ids) for column in columns if column.name in frame.columns)


def _in(column: Column, entity: Entity, ids: pl.DataFrame) -> pl.Expr:
    of = _of(column.refers or entity.name, ids)
    if not column.is_list:
        return _old(pl.col(column.name), of)
    return pl.col(column.name).str.split(",").list.eval(_old(pl.element(), of)).list.join(",").alias(column.name)


def _of(entity: str, ids: pl.DataFrame) -> dict[str, str]:
    if ENTITY in ids.columns:
        ids = ids.filter(pl.col(ENTITY).is_null() | (pl.col(ENTITY) == entity))
    return dict(ids.select(NEW, OLD).iter_rows())


def _old(cell: pl.Expr, of: dict[str, str]) -> pl.Expr:
    return cell.replace(of) if of else cell
