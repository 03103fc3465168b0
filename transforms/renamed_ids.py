"""Changed ids: replace ids that a source has changed by the old ones.

A target cannot rename a record, and other systems know the record by its id. The new ids come from
a file, `ids.csv`, or from the ledger's memory of earlier drops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from transforms.checks.references import LedgerFrames, in_target
from transforms.findings import Findings, file_finding, merge_findings
from transforms.roster import RawFile, Roster, Table
from transforms.schemas import ENTITIES, Column, Entity

FILE = "ids.csv"
OLD, NEW, ENTITY = "old", "new", "entity"
# (entity, new id) -> the id that the target knows.
RenamedIds = Mapping[tuple[str, str], str]
# By entity, the old id of each new one.
OldIds = Mapping[str, Mapping[str, str]]
FIRST = 3


def restore_old_ids(roster: Roster, ids: RawFile | None, found: Findings) -> Roster:
    """Replace the `new` ids of a file by the `old` ones, everywhere in a roster.

    A line counts for its `entity`, or for all entities if that is blank. `found` are the findings
    of reading a file outside the drop.
    """
    # The drop is refused if the file cannot be read: every record would seem to be another one.
    unreadable = found.fatal.select("file", "rule").unique(maintain_order=True)
    refusals = [
        file_finding("ids_unclear", "", f"{file or FILE}: {rule}")
        for file, rule in unreadable.iter_rows()
    ]
    roster = replace(roster, findings=merge_findings([roster.findings, *refusals]))
    if ids is None:
        return roster
    if problem := problem_in(ids):
        return replace(
            roster,
            findings=merge_findings([roster.findings, file_finding("ids_unclear", "", problem)]),
        )
    given = {
        name: _first_ids(dict(_lines(ids.frame, name).select(NEW, OLD).iter_rows()))
        for name in ENTITIES
    }
    tables = {name: _with_old_ids(table, given) for name, table in roster.tables.items()}
    notice = file_finding("ids_renamed", ids.name, count=ids.frame.height)
    return replace(
        roster, tables=tables, findings=merge_findings([roster.findings, notice]), given=given
    )


def find_id_file(files: dict[str, RawFile]) -> RawFile | None:
    """Return the file of ids among the files of a drop; None if there is none."""
    return next((file for name, file in files.items() if name.casefold() == FILE), None)


def composite_new_ids(ids: RawFile | None) -> frozenset[str]:
    """Return the new ids that were made of several values (`a/b`).

    The file's lines name records by them, even if the layout now makes such ids differently.
    """
    if ids is None or NEW not in ids.frame.columns:
        return frozenset()
    new = ids.frame[NEW].drop_nulls()
    return frozenset(new.filter(new.str.contains("/")))


def problem_in(ids: RawFile) -> str:
    """Return why a file of ids cannot be used; blank if it can."""
    missing = [name for name in (OLD, NEW) if name not in ids.frame.columns]
    if missing:
        return f"{ids.name} lacks the column {missing[0]}; its header is old,new or old,new,entity"
    blank = ids.frame.select(pl.col(OLD).is_null() | pl.col(NEW).is_null()).to_series()
    if ids.ragged or blank.any():
        return f"{ids.name} has a line without an old or a new id"
    for entity in [None, *_entities(ids.frame)]:
        pairs = _lines(ids.frame, entity)
        for name in (OLD, NEW):
            if (repeated := pairs[name].filter(pairs[name].is_duplicated())).len():
                return f"{ids.name} names the {name} id {repeated[0]} twice"
        if cycle := _cycle(dict(pairs.select(NEW, OLD).iter_rows())):
            return (
                f"{ids.name} leads in a circle, so that nobody can say which id was the first: "
                f"{' <- '.join(cycle)}"
            )
    return ""


def _entities(ids: pl.DataFrame) -> list[str]:
    if ENTITY not in ids.columns:
        return []
    return ids[ENTITY].drop_nulls().unique(maintain_order=True).to_list()


def _lines(ids: pl.DataFrame, entity: str | None) -> pl.DataFrame:
    """Return the lines that count for an entity: its own, and those without an entity."""
    if ENTITY not in ids.columns:
        return ids
    return ids.filter(pl.col(ENTITY).is_null() | pl.col(ENTITY).eq_missing(entity))


def _cycle(old: Mapping[str, str]) -> list[str]:
    """Return ids that lead back to themselves, the first also at the end; [] if there are none."""
    done: set[str] = set()
    for start in old:
        path: dict[str, None] = {}
        one = start
        while one in old and old[one] != one and one not in done and one not in path:
            path[one] = None
            one = old[one]
        if one in path:
            return [*list(path)[list(path).index(one) :], one]
        done.update(path)
    return []


def _first_ids(old: Mapping[str, str]) -> dict[str, str]:
    """Return the first id of each new id's record; an id may have changed more than once."""
    first: dict[str, str] = {}
    for new in old:
        one = new
        while old.get(one, one) != one:
            one = old[one]
        first[new] = one
    return first


def _with_old_ids(table: Table, given: OldIds) -> Table:
    lost = table.lost.with_columns(_old(pl.col("sourcedId"), given[table.entity.name]))
    return replace(table, frame=with_old(table.frame, table.entity, given), lost=lost)


def new_renames(ids: pl.DataFrame, known: RenamedIds) -> RenamedIds:
    """Return what a file of old and new ids adds to the known ones, by entity and new id.

    The values are the first ids of all. Lines without an entity are ignored.
    """
    found: dict[tuple[str, str], str] = {}
    for entity in (name for name in _entities(ids) if name in ENTITIES):
        lines = ids.filter(pl.col(ENTITY) == entity)
        for new, was in _first_ids(dict(lines.select(NEW, OLD).iter_rows())).items():
            found[entity, new] = known.get((entity, was), was)
    return found


def by_entity(renamed: RenamedIds) -> OldIds:
    """Group the old ids by entity."""
    found: dict[str, dict[str, str]] = {}
    for (entity, new), was in renamed.items():
        found.setdefault(entity, {})[new] = was
    return found


def with_old(frame: pl.DataFrame, entity: Entity, given: OldIds) -> pl.DataFrame:
    """Write the old ids in each column of an entity that holds ids."""
    columns = [column for column in entity.current if column.is_id]
    return frame.with_columns(
        _old_cells(column, given.get(column.refers or entity.name, {}))
        for column in columns
        if column.name in frame.columns
    )


def _old_cells(column: Column, old: Mapping[str, str]) -> pl.Expr:
    cell = pl.col(column.name)
    if not column.is_list:
        return _old(cell, old)
    return cell.str.split(",").list.eval(_old(pl.element(), old)).list.join(",").alias(column.name)


def _old(cell: pl.Expr, old: Mapping[str, str]) -> pl.Expr:
    return cell.replace(dict(old)) if old else cell


def taken_ids(roster: Roster, known: LedgerFrames, earlier: RenamedIds) -> Findings:
    """Refuse a drop whose new ids are those of other records, which the target has.

    `earlier` are the changed ids of earlier drops: the id in the target, by entity and new id.
    """
    return merge_findings(
        [
            *_taken_in_target(FILE, roster.given, known),
            *_taken_in_target("", by_entity(roster.renamed), known),
            *_taken_earlier(roster.renamed, earlier),
        ]
    )


def _taken_in_target(file: str, given: OldIds, known: LedgerFrames) -> Iterator[Findings]:
    for entity, old in given.items():
        new = pl.Series([one for one, was in old.items() if one != was], dtype=pl.String)
        pairs = [
            (one, old[one]) for one in new.filter(new.is_in(in_target(known, entity).implode()))
        ]
        if pairs:
            first = ", ".join(f"{one} of {was}" for one, was in pairs[:FIRST])
            more = ", …" if len(pairs) > FIRST else ""
            detail = f"{file or 'the file of changed ids'}: {entity} {first}{more}"
            yield file_finding("ids_taken", "", detail, count=len(pairs))


def _taken_earlier(renamed: RenamedIds, earlier: RenamedIds) -> Iterator[Findings]:
    """Report ids that were the new id of another record in an earlier drop."""
    for (entity, new), was in renamed.items():
        if (before := earlier.get((entity, new), was)) != was:
            yield file_finding(
                "ids_taken",
                "",
                f"{entity} {new} of {was}, and it is the new id of {before} since an earlier night",
            )
