"""Digests: whether one entity of a roster is what it was, told from the fingerprints of its records.

The fingerprints are taken as a set: height, sum and XOR, and the sum after a finaliser that leaves no bit
where it was (MurmurHash3, fmix64), so that values which swap places between two records do not cancel.
"""

from __future__ import annotations

import hashlib

import polars as pl

from transforms.diff import marked
from transforms.fingerprint import fingerprints
from transforms.judged import Judged
from transforms.schemas import Entity

# What a roster keeps of a record beside it: what its parts are known by, and which have ended.
BESIDE = ("#roles", "#ended")
HALF = pl.lit(2**32, pl.UInt64)
MULTIPLIERS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)


def digest(judged: Judged, marks: pl.Series | None = None) -> str:
    """Give 32 hex digits for what is accepted, refused and withheld; `marks` are the fingerprints of what is accepted.

    Order of rows and columns, row numbers and blank columns say nothing, as in the fingerprints; what is kept `BESIDE` records does.
    """
    if marks is None:
        marks = marked({judged.entity.name: judged})[judged.entity.name]
    said = [judged.entity.name, *_sums(marks)]
    for name in (name for name in BESIDE if name in judged.accepted.columns):
        # By other names, for what begins with # has no part in a fingerprint.
        beside = judged.accepted.filter(pl.col(name).is_not_null()).select("sourcedId", pl.col(name).alias(name[1:]))
        said += [name, *_sums(fingerprints(judged.entity, beside))] if beside.height else []
    for name in ("refused", "withheld"):
        said += _sums(_marks(judged.entity, getattr(judged, name)))
    return hashlib.sha256(" ".join(map(str, said)).encode()).hexdigest()[:32]


def _marks(entity: Entity, rows: pl.DataFrame) -> pl.Series:
    return fingerprints(entity, rows.select("sourcedId"))


def _sums(marks: pl.Series) -> tuple[int, ...]:
    mark = pl.col("mark")
    spread = mark
    for multiplier in MULTIPLIERS:
        spread = (spread ^ (spread // HALF)) * pl.lit(multiplier, pl.UInt64)
    frame = marks.alias("mark").to_frame().select(mark.reinterpret(signed=False))
    sums = frame.select(mark.sum(), spread.sum().alias("spread"), mark.bitwise_xor().alias("xor"))
    return (marks.len(), *(int(value or 0) for value in sums.row(0)))
