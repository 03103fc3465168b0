"""Chains of parents: no record is its own ancestor."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.ancestry import words
from transforms.changes import IN_TARGET
from transforms.findings import ROW, Findings, of_rows
from transforms.roster import Table
from transforms.schemas import Column, Entity


def parent_column(entity: Entity) -> Column | None:
    """The column by which an entity's records form a tree; None if they do not."""
    return next(
        (column for column in entity.current if column.refers == entity.name and column.kind == "reference"), None
    )


def without_cycles(table: Table, known: pl.DataFrame | None, strict: bool) -> tuple[Table, list[Findings]]:
    """Leave out the parents of records that are their own ancestors; in files of our own, refuse those records.

    `known` is what the ledger knows of the entity: the places of records of which a delta does not speak.
    """
    column = parent_column(table.entity)
    if column is None:
        return table, []
    rows = dict(table.frame.select("sourcedId", column.name).iter_rows())
    parents = {record: parent for record, parent in (_loaded(table, known) | rows).items() if parent}
    caught = [start for start in parents if _is_own_ancestor(start, parents)]
    if not caught:
        return table, []
    circle = table.frame.filter(pl.col("sourcedId").is_in(caught))
    rule = "cycle" if table.entity.standard else "cycle_refused"
    found = of_rows(
        rule, circle, file=table.file, entity=table.entity.name, column=column.name, value=column.name, strict=strict
    )
    if not table.entity.standard:
        return table, [found]
    cut = pl.when(~pl.col(ROW).is_in(circle[ROW].implode())).then(column.name).alias(column.name)
    return replace(table, frame=table.frame.with_columns(cut)), [found]


def _loaded(table: Table, known: pl.DataFrame | None) -> dict[str, str | None]:
    """The parents of the records that are loaded, where the drop is no full snapshot of them."""
    if table.mode == "bulk" or known is None or "parents" not in known.columns:
        return {}
    rows = known.filter(pl.col("status").is_in(IN_TARGET)).select("sourcedId", "parents").iter_rows()
    return {record: parent_in(parents, table.entity) for record, parents in rows}


def parent_in(parents: str | None, entity: Entity) -> str | None:
    """Find a record's parent of its own kind among `entity:sourcedId` words."""
    prefix = f"{entity.name}:"
    return next((word.removeprefix(prefix) for word in words(parents) if word.startswith(prefix)), None)


def _is_own_ancestor(start: str, parents: dict[str, str]) -> bool:
    seen = {start}
    place = parents[start]
    while place in parents and place not in seen:
        seen.add(place)
        place = parents[place]
    return place == start


def depths(ids: list[str], parents: dict[str, str]) -> list[int]:
    """How many ancestors each record has among `ids`; without cycles."""
    known: dict[str, int] = {}
    among = set(ids)

    def depth(record: str) -> int:
        chain = []
        while record in among and record not in known:
            chain.append(record)
            known[record] = 0  # a cycle, if there were one, ends here
            record = parents.get(record, "")
        level = known[record] + 1 if record in among else 0
        for one in reversed(chain):
            known[one] = level
            level += 1
        return level

    for record in ids:
        depth(record)
    return [known[record] for record in ids]
