"""Chains of parents: no record is its own ancestor."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW, Findings, of_rows
from transforms.roster import Table
from transforms.schemas import Column, Entity


def parent_column(entity: Entity) -> Column | None:
    """The column by which an entity's records form a tree; None if they do not."""
    return next(
        (column for column in entity.current if column.refers == entity.name and column.kind == "reference"), None
    )


def without_cycles(table: Table, strict: bool) -> tuple[Table, list[Findings]]:
    """Leave out the parents of records that are their own ancestors, and of people who are their own agents."""
    column = parent_column(table.entity)
    if column is None:
        return table, []
    parents = dict(table.frame.select("sourcedId", column.name).drop_nulls().iter_rows())
    caught = [start for start in parents if _is_own_ancestor(start, parents)]
    if not caught:
        return table, []
    rows = table.frame.filter(pl.col("sourcedId").is_in(caught))
    found = of_rows(
        "cycle", rows, file=table.file, entity=table.entity.name, column=column.name, value=column.name, strict=strict
    )
    cut = pl.when(~pl.col(ROW).is_in(rows[ROW].implode())).then(column.name).alias(column.name)
    return replace(table, frame=table.frame.with_columns(cut)), [found]


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
