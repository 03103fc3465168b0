"""Frames as a drop: one zip of CSV files at its top (OneRoster 1.2 CSV Binding, reference section 1.1; RFC 4180)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl

from connectors.private_files import write_whole

# The first moment that a zip can name: one roster is one zip, whenever it is written.
MOMENT = (1980, 1, 1, 0, 0, 0)
UNIX = 3
OWNER_ONLY = 0o600 << 16


def write_zip(path: Path, files: Mapping[str, pl.DataFrame]) -> None:
    """Write each frame under the name of its file, in this order; the same frames are the same bytes.

    The zip is for its owner only, and there whole or not at all. Raises what the file system does.
    """
    write_whole(path, partial(_pack, files))


def _pack(files: Mapping[str, pl.DataFrame], into: IO[bytes]) -> None:
    with zipfile.ZipFile(into, "w") as archive:
        for name, frame in files.items():
            archive.writestr(_member(name), _csv(frame))


def _csv(frame: pl.DataFrame) -> bytes:
    """UTF-8 without a byte order mark, lines that end in CR LF, quotes only where a cell needs them."""
    text = io.BytesIO()
    frame.write_csv(text, line_terminator="\r\n", quote_style="necessary")
    return text.getvalue()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, MOMENT)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system, member.external_attr = UNIX, OWNER_ONLY
    return member
