"""The records of one entity as a parquet file: what is accepted whole, of what is refused or withheld the ids."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import polars as pl

from connectors.archive.errors import reading
from connectors.archive.manifest import Entry
from transforms.findings import ROW
from transforms.judged import Judged
from transforms.schemas import LIFECYCLE, Entity

STANDING = "#standing"
ACCEPTED, REFUSED, WITHHELD = "accepted", "refused", "withheld"
CAUSE = "as it was in that run"


def write_content(judged: Judged, file: IO[bytes]) -> None:
    """Write the records in the order of their ids; blank columns, row numbers and lifecycle are left out."""
    accepted = judged.accepted.drop(ROW, *LIFECYCLE, strict=False).sort("sourcedId")
    filled = [name for name in accepted.columns if name == "sourcedId" or accepted[name].count()]
    others = [(judged.refused, REFUSED), (judged.withheld, WITHHELD)]
    frames = [_standing(accepted.select(filled), ACCEPTED)]
    frames += [_standing(frame.select("sourcedId").sort("sourcedId"), name) for frame, name in others if frame.height]
    pl.concat(frames, how="diagonal").write_parquet(file, compression="zstd", compression_level=1)


def read_content(path: Path, entity: Entity, entry: Entry) -> Judged:
    """Read the records as they were judged; they are numbered anew."""
    with reading(path):
        frame = pl.read_parquet(path)
        refused, withheld = (_ids(frame, name) for name in (REFUSED, WITHHELD))
        return Judged(
            entity,
            accepted_of(frame).pipe(_whole, entity),
            entry.mode,
            entry.file,
            refused,
            withheld,
            blurred=entry.blurred,
            emptied=entry.emptied,
            said=frozenset(entry.said),
            partial=frozenset(entry.partial),
        )


def accepted_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The records that were accepted, with the columns in which any of them has a value."""
    return frame.filter(pl.col(STANDING) == ACCEPTED).drop(STANDING)


def _standing(frame: pl.DataFrame, standing: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(standing).alias(STANDING))


def _ids(frame: pl.DataFrame, standing: str) -> pl.DataFrame:
    return frame.filter(pl.col(STANDING) == standing).select("sourcedId", cause=pl.lit(CAUSE))


def _whole(frame: pl.DataFrame, entity: Entity) -> pl.DataFrame:
    """Add the columns that were blank, since later stages expect them all."""
    blank = [column.name for column in entity.current if column.name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in blank).with_row_index(ROW, 1)
