"""Fingerprints: 64 bits that show whether a record has changed since it was last sent.

Each filled cell is hashed by itself, with a seed from its column's name, and the hashes are
combined by XOR. A fingerprint therefore depends only on the names and texts of a record's filled
cells. It does not depend on a library's serialization, on the order of columns, rows or list items,
or on blank columns. The hashes, XXH3 with 64 bits and SHA-256, are defined by their specifications
and not by a library.
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
    """Return the fingerprint (Int64) of each row; ignore columns that begin with `#`."""
    names = [name for name in frame.columns if not name.startswith("#")]
    combined = reduce(xor, (_hash(entity, name) for name in names))
    return frame.select(combined.reinterpret(signed=True).alias(FINGERPRINT))[FINGERPRINT]


def _hash(entity: Entity, name: str) -> pl.Expr:
    """Hash the cells of a column; a blank one adds nothing."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    text = _canonical_text(entity, name)
    # mypy does not know the plugin's namespace.
    hashed: pl.Expr = text.nchash.xxh3_64(seed=seed)  # type: ignore[attr-defined]
    return hashed.fill_null(0)


def _canonical_text(entity: Entity, name: str) -> pl.Expr:
    """Return the text of a cell; sort lists of references, since their order means nothing."""
    column = entity.by_name.get(name)
    if column is None or column.kind != "references":
        return pl.col(name)
    items = pl.col(name).str.split(",").list.unique().list.sort().list.join(",")
    return pl.when(pl.col(name).str.contains(",", literal=True)).then(items).otherwise(name)
