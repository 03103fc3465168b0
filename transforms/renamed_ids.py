"""Ids that a source has changed, given their old ones back: a target cannot rename a record, and others know it by its id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from transforms.checks.references import Known, in_target
from transforms.findings import Findings, gather, of_file
from transforms.roster import RawFile, Roster, Table
from transforms.schemas import ENTITIES, Column, Entity

FILE = "ids.csv"
OLD, NEW, ENTITY = "old", "new", "entity"
# (entity, new id) -> the id that the target knows.
Renamed = Mapping[tuple[str, str], str]
# By entity, the old id of each new one.
Given = Mapping[str, Mapping[str, str]]


def renamed(roster: Roster, ids: RawFile | None, found: Findings) -> Roster:
    """Write the `old` id wherever a roster has the `new` one, of the `entity` that a line names or, blank, of any.

    `found` is what was found when a file outside the drop was read.
    """
    roster = replace(roster, findings=gather([roster.findings, *_outside(found)]))
    if ids is None:
        return roster
    if wrong := unclear(ids):
        return replace(
            roster, findings=gather([roster.findings, of_file("ids_unclear", "", wrong)])
        )
    given = {
        name: _first(dict(_lines(ids.frame, name).select(NEW, OLD).iter_rows()))
        for name in ENTITIES
    }
    tables = {name: _renamed(table, given) for name, table in roster.tables.items()}
    told = of_file("ids_renamed", ids.name, count=ids.frame.height)
    return replace(roster, tables=tables, findings=gather([roster.findings, told]), given=given)


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
    return frozenset(
        ids.frame[NEW].drop_nulls().filter(ids.frame[NEW].drop_nulls().str.contains("/"))
    )


def unclear(ids: RawFile) -> str:
    """Why a file of ids cannot be used; blank if it can."""
    lacking = [name for name in (OLD, NEW) if name not in ids.frame.columns]
    if lacking:
        return f"{ids.name} lacks the column {lacking[0]}; its header is old,new or old,new,entity"
    if (
        ids.ragged
        or ids.frame.select(pl.col(OLD).is_null() | pl.col(NEW).is_null()).to_series().any()
    ):
        return f"{ids.name} has a line without an old or a new id"
    for entity in [None, *_entities(ids.frame)]:
        pairs = _lines(ids.frame, entity)
        for name in (OLD, NEW):
            if (twice := pairs[name].filter(pairs[name].is_duplicated())).len():
                return f"{ids.name} names the {name} id {twice[0]} twice"
        if circle := _circle(dict(pairs.select(NEW, OLD).iter_rows())):
            return f"{ids.name} leads in a circle, so that nobody can say which id was the first: {' <- '.join(circle)}"
    return ""


def _entities(ids: pl.DataFrame) -> list[str]:
    return (
        ids[ENTITY].drop_nulls().unique(maintain_order=True).to_list()
        if ENTITY in ids.columns
        else []
    )


def _lines(ids: pl.DataFrame, entity: str | None) -> pl.DataFrame:
    """The lines that hold for an entity: its own, and those that name none."""
    if ENTITY not in ids.columns:
        return ids
    return ids.filter(pl.col(ENTITY).is_null() | pl.col(ENTITY).eq_missing(entity))


def _circle(old: Mapping[str, str]) -> list[str]:
    """The ids that lead back to themselves, the first once more at the end; none if each new id leads to a first one."""
    done: set[str] = set()
    for start in old:
        way: dict[str, None] = {}
        one = start
        while one in old and old[one] != one and one not in done and one not in way:
            way[one] = None
            one = old[one]
        if one in way:
            return [*list(way)[list(way).index(one) :], one]
        done.update(way)
    return []


def _first(old: Mapping[str, str]) -> dict[str, str]:
    """Lead each new id to the first one that its record had: an id may have changed more than once."""
    first: dict[str, str] = {}
    for new in old:
        one = new
        while old.get(one, one) != one:
            one = old[one]
        first[new] = one
    return first


def _renamed(table: Table, given: Given) -> Table:
    lost = table.lost.with_columns(_old(pl.col("sourcedId"), given[table.entity.name]))
    return replace(table, frame=with_old(table.frame, table.entity, given), lost=lost)


def remembering(ids: pl.DataFrame, known: Renamed) -> Renamed:
    """What a file of old and new ids (with entities) adds to what is known, as (entity, new id) -> the first id of all."""
    found: dict[tuple[str, str], str] = {}
    for entity in (name for name in _entities(ids) if name in ENTITIES):
        lines = ids.filter(pl.col(ENTITY) == entity)
        for new, was in _first(dict(lines.select(NEW, OLD).iter_rows())).items():
            found[entity, new] = known.get((entity, was), was)
    return found


def by_entity(renamed: Renamed) -> Given:
    """Give the old ids entity by entity."""
    found: dict[str, dict[str, str]] = {}
    for (entity, new), was in renamed.items():
        found.setdefault(entity, {})[new] = was
    return found


def with_old(frame: pl.DataFrame, entity: Entity, given: Given) -> pl.DataFrame:
    """Write the old ids in each column of an entity that holds ids."""
    columns = [column for column in entity.current if column.is_id]
    return frame.with_columns(
        _in(column, entity, given) for column in columns if column.name in frame.columns
    )


def _in(column: Column, entity: Entity, given: Given) -> pl.Expr:
    of = given.get(column.refers or entity.name, {})
    if not column.is_list:
        return _old(pl.col(column.name), of)
    return (
        pl.col(column.name)
        .str.split(",")
        .list.eval(_old(pl.element(), of))
        .list.join(",")
        .alias(column.name)
    )


def _old(cell: pl.Expr, of: Mapping[str, str]) -> pl.Expr:
    return cell.replace(dict(of)) if of else cell


FIRST = 3


def taken(roster: Roster, known: Known, earlier: Renamed) -> Findings:
    """Refuse a drop that gives the old id of one record to another that the target holds by itself.

    `earlier` is what the source said of ids in earlier nights: by entity and new id, the one that the target knows.
    """
    return gather(
        [
            *_found(FILE, roster.given, known),
            *_found("", by_entity(roster.renamed), known),
            *_again(roster.renamed, earlier),
        ]
    )


def _found(file: str, given: Given, known: Known) -> Iterator[Findings]:
    for entity, old in given.items():
        new = [one for one, was in old.items() if one != was]
        there = pl.Series(new, dtype=pl.String)
        there = there.filter(there.is_in(in_target(known, entity).implode())) if new else there
        if there.len():
            yield _told(file, entity, [(one, old[one]) for one in there])


def _again(renamed: Renamed, earlier: Renamed) -> Iterator[Findings]:
    """An id that was the new one of a record cannot be that of another record too."""
    for (entity, new), was in renamed.items():
        if (before := earlier.get((entity, new), was)) != was:
            yield of_file(
                "ids_taken",
                "",
                f"{entity} {new} of {was}, and it is the new id of {before} since an earlier night",
            )


def _told(file: str, entity: str, pairs: list[tuple[str, str]]) -> Findings:
    first = ", ".join(f"{new} of {was}" for new, was in pairs[:FIRST]) + (
        ", …" if len(pairs) > FIRST else ""
    )
    return of_file(
        "ids_taken", "", f"{file or 'the file of changed ids'}: {entity} {first}", count=len(pairs)
    )
