"""The fast path: polars reads a file as it is, and byte counts prove that every cell came through.

polars 2 silently pads short rows and removes quotes inside quoted cells. So its result is accepted
only if (a) each quote opens or closes a whole cell, and (b) the bytes of the cells, the separators
and the quotes add up to the bytes of the file. Any other file takes the exact path (`exact_path`).
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

import polars as pl

from connectors.drops.text import Header, sound_line_pattern

CHUNK = 1 << 18
FIRST, LAST = itemgetter(0), itemgetter(-1)
CONTROLS = tuple(bytes([code]) for code in range(32) if code not in b"\t\n\r")


@dataclass(frozen=True)
class ByteCounts:
    """Counts of special bytes in the records."""

    quotes: int
    returns: int  # carriage returns


def read_if_sound(data: bytes, header: Header) -> pl.DataFrame | None:
    """Read the records of a file, or return None if it is not proven that every cell is complete.

    `header` must be the first line. Lines must all end in LF, or all in CR LF.
    """
    start = data.find(b"\n") + 1
    if start in (0, len(data)):
        return empty_frame(header)
    signs = _count_signs(data, start, header.delimiter)
    if signs is None:
        return None
    try:
        frame = parse(data, header, skip_lines=1)
    except pl.exceptions.PolarsError:
        return None
    return frame if _is_complete(frame, data, start, signs, header) else None


def parse(data: bytes, header: Header, skip_lines: int = 0) -> pl.DataFrame:
    """Read records with polars as text, one column for each cell of the header."""
    return pl.read_csv(
        data,
        has_header=False,
        skip_lines=skip_lines,
        separator=header.delimiter.decode(),
        schema=dict.fromkeys(header.columns, pl.String),
    )


def empty_frame(header: Header) -> pl.DataFrame:
    """Return a frame with the header's columns and no rows."""
    return pl.DataFrame(schema=dict.fromkeys(header.columns, pl.String))


def _count_signs(data: bytes, start: int, delimiter: bytes) -> ByteCounts | None:
    """Count in chunks that fit the CPU cache; return None if a byte needs the exact path."""
    quotes = returns = 0
    while start < len(data):
        end = (
            len(data) if start + CHUNK >= len(data) else data.rfind(b"\n", start, start + CHUNK) + 1
        )
        piece = data[start:end]
        if not piece or any(control in piece for control in CONTROLS):
            return None
        if b"\r" in piece:
            pairs = piece.count(b"\r\n")
            if pairs != piece.count(b"\r"):
                return None  # polars removes a CR at the end of any cell
            returns += pairs
        if b'"' in piece:
            if not _has_sound_quotes(piece, delimiter):
                return None
            quotes += piece.count(b'"')
        start = end
    return ByteCounts(quotes, returns)


def _has_sound_quotes(lines: bytes, delimiter: bytes) -> bool:
    """Return whether each quote in these complete lines opens or closes a cell, on one line.

    Split at quotes, every other piece lies outside the quotes, starting with the first. A piece
    outside must begin and end with a separator. A piece inside is the text of a cell.
    """
    pieces = (b"\n" + lines + b"\n").split(b'"')
    outside, inside = pieces[0::2], pieces[1::2]
    if len(outside) == len(inside) or not all(outside):
        return False
    separators = {*delimiter, *b"\r\n"}
    edges = set(map(FIRST, outside)) | set(map(LAST, outside))
    return edges <= separators and b"\n" not in b"".join(inside)


def _is_complete(
    frame: pl.DataFrame, data: bytes, start: int, signs: ByteCounts, header: Header
) -> bool:
    """Return whether the frame holds all bytes of the records except separators and quotes."""
    if frame.select(pl.all_horizontal(pl.all().is_null()).any()).item():
        return False  # a blank line
    lines = frame.height - (not data.endswith(b"\n"))
    if signs.returns != (lines if data[start - 2 : start] == b"\r\n" else 0):
        return False  # not all lines end in one way
    last = data.rfind(b"\n", 0, len(data) - 1) + 1
    if not data.endswith(b"\n") and not sound_line_pattern(header.delimiter, frame.width).fullmatch(
        data, last
    ):
        return False  # polars accepts one delimiter too many at the very end
    cells = sum(frame.select(pl.all().str.len_bytes().cast(pl.UInt64).sum()).row(0))
    ends = lines + frame.height * (frame.width - 1)
    return bool(cells + ends + signs.quotes + signs.returns == len(data) - start)
