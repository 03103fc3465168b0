"""Ids that a layout lacks, made of what a record is known by: readable, the same every night, never of row numbers.

An id is its kind and its parts with `/` between them: `course/elm/MATH101`. A sign that ids may not have, and `/`
and `@` themselves, are written as `@` and two hexadecimal digits for each byte, so that different parts never make
one id. Ids that would be too long end in a digest.
"""

from __future__ import annotations

import re
from hashlib import sha256

import polars as pl

LONGEST = 200
# Stands for the organisation above all others until it is known; no id can have this sign.
DISTRICT = "#district"
_ODD = re.compile(r"[^0-9A-Za-z.\-_]")


def key_of(kind: str, parts: list[pl.Expr], needs: int) -> pl.Expr:
    """The id that parts make; blank if one of the first `needs` is. Blank parts after those are left out."""
    return _short(whole_key_of(kind, parts, needs))


def whole_key_of(kind: str, parts: list[pl.Expr], needs: int) -> pl.Expr:
    """The same, however long."""
    pieces = [pl.lit(kind), *(escaped(part) for part in parts)]
    whole = pl.concat_str(pieces, separator="/", ignore_nulls=True)
    if needs == 0:
        return whole
    return pl.when(pl.all_horizontal(part.is_not_null() for part in parts[:needs])).then(whole)


def keys_of(kind: str, items: str) -> str:
    """The ids of one part each that a list makes."""
    return ",".join(f"{kind}/{written(item)}" for item in items.split(",") if item)


def escaped(cell: pl.Expr) -> pl.Expr:
    """A part of an id, with nothing in it that ids may not have."""

    def write(cells: pl.Series) -> pl.Series:
        cells = cells.str.strip_chars()
        odd = cells.filter(cells.str.contains(_ODD.pattern).fill_null(value=False)).unique()
        return cells.replace({value: written(value) for value in odd}) if odd.len() else cells

    return cell.map_batches(write, return_dtype=pl.String, is_elementwise=True)


def written(part: str) -> str:
    """Write one part of an id."""
    return _ODD.sub(lambda found: "".join(f"@{byte:02x}" for byte in found[0].encode()), part)


def short(key: str) -> str:
    """An id as it is, or, if it is too long, its beginning and a digest of it."""
    return key if len(key.encode()) <= LONGEST else f"{key[: LONGEST - 33]}-{sha256(key.encode()).hexdigest()[:32]}"


def _short(key: pl.Expr) -> pl.Expr:
    def cut(keys: pl.Series) -> pl.Series:
        long = keys.filter((keys.str.len_bytes() > LONGEST).fill_null(value=False)).unique()
        return keys.replace({one: short(one) for one in long}) if long.len() else keys

    return key.map_batches(cut, return_dtype=pl.String, is_elementwise=True)
