"""Write frames as a drop: one zip with its CSV files at the top.

Source: OneRoster 1.2 CSV Binding, reference section 1.1; RFC 4180.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl

from connectors.private_files import write_atomically

# The earliest time that a zip can store. It makes the bytes independent of when they are written.
MOMENT = (1980, 1, 1, 0, 0, 0)
UNIX = 3
OWNER_ONLY = 0o600 << 16


def write_zip(path: Path, files: Mapping[str, pl.DataFrame]) -> None:
    """Write each frame under its file name, in this order. The same frames give the same bytes.

    Only the owner can read the zip. It is written completely or not at all. Raises `OSError` if the
    file system does.
    """
    write_atomically(path, partial(_pack, files))


def _pack(files: Mapping[str, pl.DataFrame], into: IO[bytes]) -> None:
    with zipfile.ZipFile(into, "w") as archive:
        for name, frame in files.items():
            member = zipfile.ZipInfo(name, MOMENT)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system, member.external_attr = UNIX, OWNER_ONLY
            archive.writestr(member, _csv(frame))


def _csv(frame: pl.DataFrame) -> bytes:
    """Encode as UTF-8 without a byte order mark, with CR LF, and quotes only where needed."""
    text = io.BytesIO()
    frame.write_csv(text, line_terminator="\r\n", quote_style="necessary")
    return text.getvalue()
