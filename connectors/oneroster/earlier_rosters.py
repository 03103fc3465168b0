"""What killed runs may have sent of the records to create, according to the rosters that we keep.

An intent is written for a whole batch before any of it is sent. So an intent does not prove that a
record in the target is ours. A record that equals what a roster of ours had is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from transforms.changes import ACTION
from transforms.payload import Json, filled_paths, json_records
from transforms.schemas import ENTITIES
from transforms.stages import UpsertStage

# Returns, for an entity and ids, what our rosters have of these records: one frame per roster.
Rosters = Callable[[str, pl.Series], Iterable[pl.DataFrame]]


@dataclass(frozen=True)
class EarlierBodies:
    """What this drop and earlier rosters have of each record, by id."""

    # The different bodies of a record.
    said: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    # The columns that any of them fills.
    filled: Mapping[str, frozenset[str]] = field(default_factory=dict)


def earlier_bodies(stage: UpsertStage, intended: frozenset[str], rosters: Rosters) -> EarlierBodies:
    """Look up the records to create that killed runs `intended` to send."""
    new = stage.records.filter((pl.col(ACTION) == "create") & pl.col("sourcedId").is_in(intended))
    bodies_by_id: dict[str, tuple[Json, ...]] = {}
    columns_by_id: dict[str, frozenset[str]] = {}
    for frame in (new, *(rosters(stage.entity, new["sourcedId"]) if new.height else ())):
        for body, columns in zip(
            json_records(ENTITIES[stage.entity], frame), _filled_columns(frame), strict=True
        ):
            sourced_id = body["sourcedId"]
            if body not in bodies_by_id.get(sourced_id, ()):
                bodies_by_id[sourced_id] = (*bodies_by_id.get(sourced_id, ()), body)
                columns_by_id[sourced_id] = columns_by_id.get(sourced_id, frozenset()) | columns
    return EarlierBodies(bodies_by_id, columns_by_id)


def _filled_columns(frame: pl.DataFrame) -> Iterator[frozenset[str]]:
    """Yield the columns that each row fills, under the ledger's names."""
    names = [name for name in frame.columns if not name.startswith("#")]
    for row in frame.select(names).iter_rows():
        cells = zip(names, row, strict=True)
        yield frozenset(
            name
            for column, cell in cells
            if cell is not None
            for name in filled_paths(column, cell)
        )
