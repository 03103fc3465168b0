"""In what portions records are sent: never a record with one that it refers to, never too many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from transforms.checks.chains import depths, parent_column
from transforms.schemas import Entity


def batches(entity: Entity, frame: pl.DataFrame, size: int) -> Iterator[pl.DataFrame]:
    """Slice a frame, level by level: first the records that refer to no other record of the frame."""
    for level in levels(entity, frame):
        yield from slices(level, size)


def slices(frame: pl.DataFrame, size: int) -> Iterator[pl.DataFrame]:
    """Slice a frame; nothing if it is empty."""
    return (frame.slice(start, size) for start in range(0, frame.height, size))


def named(what: str, batches: Iterable[pl.DataFrame]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give each batch its name among its like, such as `load users 3/12`."""
    frames = list(batches)
    return ((f"{what} {number}/{len(frames)}", frame) for number, frame in enumerate(frames, 1))


def levels(entity: Entity, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Split a frame so that a level refers only to levels before it, or to records outside the frame.

    Lists of references (agents) may run in circles: there, the records without any come first.
    """
    if tree := parent_column(entity):
        yield from _generations(frame, tree.name)
    elif (listed := _listed(entity)) in frame.columns:
        yield frame.filter(pl.col(listed).is_null())
        yield frame.filter(pl.col(listed).is_not_null())
    else:
        yield frame


def _generations(frame: pl.DataFrame, parent: str) -> Iterator[pl.DataFrame]:
    if parent not in frame.columns:
        yield frame
        return
    parents = dict(frame.select("sourcedId", parent).drop_nulls().iter_rows())
    depth = pl.Series("#depth", depths(frame["sourcedId"].to_list(), parents), dtype=pl.Int64)
    for level in depth.unique().sort():
        yield frame.filter(depth == level)


def _listed(entity: Entity) -> str:
    """The column that lists other records of the same entity; blank if there is none."""
    return next((column.name for column in entity.references if column.refers == entity.name and column.is_list), "")
