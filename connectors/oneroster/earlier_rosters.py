"""What killed runs may have sent of records that are to be created, as rosters say it that are kept.

An intent is written for a whole batch before any of it is sent. It does not show that a record in the target is ours: that
the record says what a roster of ours said of it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from transforms.changes import ACTION, EntityChanges
from transforms.payload import Json, bodies, names_in
from transforms.schemas import ENTITIES

# Gives what rosters of ours say of the records of an entity with some ids, roster by roster.
Rosters = Callable[[str, pl.Series], Iterable[pl.DataFrame]]


@dataclass(frozen=True)
class Earlier:
    """What is `said` of each record, now or in any roster, by id; `filled` are the columns that any of them fills."""

    said: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    filled: Mapping[str, frozenset[str]] = field(default_factory=dict)


def earlier(part: EntityChanges, intended: frozenset[str], rosters: Rosters) -> Earlier:
    """Look up the records that are to be created and that killed runs `intended` to send."""
    new = part.upserts.filter((pl.col(ACTION) == "create") & pl.col("sourcedId").is_in(intended))
    said: dict[str, tuple[Json, ...]] = {}
    filled: dict[str, frozenset[str]] = {}
    for frame in (new, *(rosters(part.entity, new["sourcedId"]) if new.height else ())):
        for body, columns in zip(bodies(ENTITIES[part.entity], frame), _filled(frame), strict=True):
            one = body["sourcedId"]
            if body not in said.get(one, ()):
                said[one] = (*said.get(one, ()), body)
                filled[one] = filled.get(one, frozenset()) | columns
    return Earlier(said, filled)


def _filled(frame: pl.DataFrame) -> Iterator[frozenset[str]]:
    """Name what each row fills, as the ledger names it."""
    names = [name for name in frame.columns if not name.startswith("#")]
    for row in frame.select(names).iter_rows():
        cells = zip(names, row, strict=True)
        yield frozenset(
            name for column, cell in cells if cell is not None for name in names_in(column, cell)
        )
