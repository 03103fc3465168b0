"""The fast path: polars reads a file as it is, and byte counts prove that every cell came through.

polars 2 pads short rows and leaves out quotes inside quoted cells, both silently. So a file is only
taken from it if (a) each quote opens or closes a whole cell, and (b) the bytes of the cells, the
separators and the quotes are together the bytes of the file. Anything else goes to `records`.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

import polars as pl

from connectors.drops.text import Header, sound_line

CHUNK = 1 << 18
FIRST, LAST = itemgetter(0), itemgetter(-1)
CONTROLS = tuple(bytes([code]) for code in range(32) if code not in b"\t\n\r")


@dataclass(frozen=True)
class Signs:
    """What a pass over the records found: how many quotes and carriage returns."""

    quotes: int
    returns: int


def proven(data: bytes, header: Header) -> pl.DataFrame | None:
    """Read the records of a file, or give None if it is not proven that each came through whole.

    `header` is on the first line, and lines end all in LF or all in CR LF.
    """
    start = data.find(b"\n") + 1
    if start in (0, len(data)):
        return empty(header)
    signs = _signs(data, start, header.delimiter)
    if signs is None:
        return None
    try:
        frame = parse(data, header, skip_lines=1)
    except pl.exceptions.PolarsError:
        return None
    return frame if _accounted(frame, data, start, signs, header) else None


def parse(data: bytes, header: Header, skip_lines: int = 0) -> pl.DataFrame:
    """Have polars read records as text, one column for each cell of the header."""
    return pl.read_csv(
        data,
        has_header=False,
        skip_lines=skip_lines,
        separator=header.delimiter.decode(),
        schema=dict.fromkeys(header.columns, pl.String),
    )


def empty(header: Header) -> pl.DataFrame:
    """Give a frame without rows."""
    return pl.DataFrame(schema=dict.fromkeys(header.columns, pl.String))


def _signs(data: bytes, start: int, delimiter: bytes) -> Signs | None:
    """Look at the records in pieces that fit the processor's cache; None if something is amiss."""
    quotes = returns = 0
    while start < len(data):
        end = (
            len(data) if start + CHUNK >= len(data) else data.rfind(b"\n", start, start + CHUNK) + 1
        )
        piece = data[start:end]
        if not piece or any(control in piece for control in CONTROLS):
            return None
        if b"\r" in piece:
            found = piece.count(b"\r\n")
            if found != piece.count(b"\r"):
                return None  # polars drops a CR at the end of any cell
            returns += found
        if b'"' in piece:
            if not _sound_quotes(piece, delimiter):
                return None
            quotes += piece.count(b'"')
        start = end
    return Signs(quotes, returns)


def _sound_quotes(lines: bytes, delimiter: bytes) -> bool:
    """Tell whether each quote of whole lines opens or closes a cell, on one line.

    By induction over the pieces between quotes: every other one, from the first, stands outside,
    and must begin and end at a separator; the others are the cells' text.
    """
    pieces = (b"\n" + lines + b"\n").split(b'"')
    outside, inside = pieces[0::2], pieces[1::2]
    if len(outside) == len(inside) or not all(outside):
        return False
    separators = {*delimiter, *b"\r\n"}
    edges = set(map(FIRST, outside)) | set(map(LAST, outside))
    return edges <= separators and b"\n" not in b"".join(inside)


def _accounted(frame: pl.DataFrame, data: bytes, start: int, signs: Signs, header: Header) -> bool:
    """Tell whether the frame holds all bytes of the records but separators and enclosing quotes."""
    if frame.select(pl.all_horizontal(pl.all().is_null()).any()).item():
        return False  # a blank line
    lines = frame.height - (not data.endswith(b"\n"))
    if signs.returns != (lines if data[start - 2 : start] == b"\r\n" else 0):
        return False  # not all lines end in one way
    last = data.rfind(b"\n", 0, len(data) - 1) + 1
    if not data.endswith(b"\n") and not sound_line(header.delimiter, frame.width).fullmatch(
        data, last
    ):
        return False  # polars takes one delimiter too many at the very end
    cells = sum(frame.select(pl.all().str.len_bytes().cast(pl.UInt64).sum()).row(0))
    ends = lines + frame.height * (frame.width - 1)
    return bool(cells + ends + signs.quotes + signs.returns == len(data) - start)
