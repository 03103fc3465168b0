"""Fingerprints: 64 bits that say whether a record is what it was when it was last sent.

Each filled cell is hashed by itself, seeded by its column's name, and the hashes are combined by
XOR. So a fingerprint depends on the names and texts of a record's filled cells and on nothing else:
no library's serialisation, no order of columns, rows or list items, no blank column. The hashes,
XXH3 with 64 bits and SHA-256, are defined by their specifications and not by a library.
"""

from __future__ import annotations

import hashlib
from functools import reduce
from operator import xor

import polars as pl
import polars_hash  # noqa: F401 (registers the namespace nchash)

from transforms.changes import FINGERPRINT
from transforms.schemas import Entity


def fingerprints(entity: Entity, frame: pl.DataFrame) -> pl.Series:
    """Give the fingerprint (Int64) of each row; columns that begin with `#` are not part of a record."""
    names = [name for name in frame.columns if not name.startswith("#")]
    combined = reduce(xor, (_hashed(entity, name) for name in names))
    return frame.select(combined.reinterpret(signed=True).alias(FINGERPRINT))[FINGERPRINT]


def _hashed(entity: Entity, name: str) -> pl.Expr:
    """Hash the cells of a column; a blank one adds nothing."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    # A plugin, which mypy cannot see.
    hashed: pl.Expr = _canonical(entity, name).nchash.xxh3_64(seed=seed)  # type: ignore[attr-defined]
    return hashed.fill_null(0)


def _canonical(entity: Entity, name: str) -> pl.Expr:
    """The text of a cell; references in a list are a set, so that their order says nothing."""
    column = entity.by_name.get(name)
    if column is None or column.kind != "references":
        return pl.col(name)
    items = pl.col(name).str.split(",").list.unique().list.sort().list.join(",")
    return pl.when(pl.col(name).str.contains(",", literal=True)).then(items).otherwise(name)
