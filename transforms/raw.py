"""A drop as read: file name -> frame, every column text. The contract between connectors and layouts."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from transforms.findings import Findings


@dataclass(frozen=True)
class RawFile:
    """One file as read.

    `frame` has `#row` (UInt32, 1 the first record after the header) and one text column for each
    named header cell, in the file's order and spelling; blank cells are null. `header` is the header
    as written. `ragged` are the records that do not fit the header, as cells by row number: they are
    not in `frame`, and who they are is not known for certain.
    """

    name: str
    frame: pl.DataFrame
    header: tuple[str, ...]
    ragged: dict[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """The files of a drop, by name as written; `broken` are the files that could not be read at all."""

    files: dict[str, RawFile]
    broken: frozenset[str] = frozenset()
    findings: Findings = field(default_factory=Findings)
