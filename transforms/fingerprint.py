"""Fingerprints: 64 bits that say whether a record is what it was when it was last sent.

They depend on the names and the texts of a record's filled columns and on nothing else: no library's
serialisation, no order of columns, rows or list items, no blank column. The hash is XXH3 with 64
bits, which is defined by its specification and not by a library.
"""

from __future__ import annotations

import polars as pl
import polars_hash  # noqa: F401 (registers the namespace nchash)

from transforms.changes import FINGERPRINT
from transforms.schemas import Entity

NAME, CELL = "\x1d", "\x1f"
SLICE = 100_000


def fingerprints(entity: Entity, frame: pl.DataFrame) -> pl.Series:
    """Give the fingerprint (Int64) of each row; columns that begin with `#` are not part of a record."""
    names = sorted(name for name in frame.columns if not name.startswith("#"))
    text = pl.concat_str(
        [pl.lit(name + NAME) + _canonical(entity, name) for name in names], separator=CELL, ignore_nulls=True
    )
    # XXH3 through a plugin that mypy cannot see; in slices, so that the texts of one slice live at a time.
    hashed = text.nchash.xxh3_64().reinterpret(signed=True).alias(FINGERPRINT)  # type: ignore[attr-defined]
    slices = [part.select(hashed) for part in frame.iter_slices(SLICE)]
    return pl.concat(slices)[FINGERPRINT] if slices else pl.Series(FINGERPRINT, dtype=pl.Int64)


def _canonical(entity: Entity, name: str) -> pl.Expr:
    """The text of a cell; references in a list are a set, so that their order says nothing."""
    column = entity.by_name.get(name)
    if column is None or column.kind != "references":
        return pl.col(name)
    items = pl.col(name).str.split(",").list.unique().list.sort().list.join(",")
    return pl.when(pl.col(name).str.contains(",", literal=True)).then(items).otherwise(name)
