"""The fast path: polars reads a file as it is, and byte counts prove that every cell came through.

polars 2 pads short rows and leaves out quotes inside quoted cells, both silently. So a file is only
taken from it if (a) each quote opens or closes a whole cell, and (b) the bytes of the cells, the
separators and the quotes are together the bytes of the file. Anything else goes to `records`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connectors.drops.header import Header

CHUNK = 1 << 18
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
    return frame if _accounted(frame, data, start, signs) else None


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
        end = len(data) if start + CHUNK >= len(data) else data.rfind(b"\n", start, start + CHUNK) + 1
        piece = data[start:end]
        if not piece or any(control in piece for control in CONTROLS):
            return None
        if b"\r" in piece:
            returns += piece.count(b"\r")
        if b'"' in piece:
            found = _sound_quotes(piece, delimiter)
            if found is None:
                return None
            quotes += found
        start = end
    return Signs(quotes, returns)


def _sound_quotes(lines: bytes, delimiter: bytes) -> int | None:
    """Count the quotes of whole lines; None unless each stands at the start or the end of a cell.

    By induction over the pieces between quotes: those with an even number stand outside, and must
    begin and end at a separator; the others are the cells' text.
    """
    pieces = lines.split(b'"')
    separators = {delimiter, b"\n", b"\r"}
    outside = pieces[0::2]
    opened = {piece[-1:] for piece in outside[:-1]}
    if not pieces[0]:
        opened = {piece[-1:] for piece in outside[1:-1]}
    closed = {piece[:1] for piece in outside[1:]}
    if lines.endswith(b'"'):
        closed = {piece[:1] for piece in outside[1:-1]}
    breaks = b"\n" in b"".join(pieces[1::2])
    sound = len(pieces) % 2 == 1 and opened <= separators and closed <= separators and not breaks
    return len(pieces) - 1 if sound else None


def _accounted(frame: pl.DataFrame, data: bytes, start: int, signs: Signs) -> bool:
    """Tell whether the frame holds all bytes of the records but separators and enclosing quotes."""
    width = frame.width
    if width == 1 and frame.to_series().null_count():
        return False  # a blank line, or a record with a blank cell: here they look the same
    if signs.returns not in (0, frame.height, frame.height - 1):
        return False
    cells = sum(frame.select(pl.all().str.len_bytes().cast(pl.UInt64).sum()).row(0))
    ends = frame.height * width - (not data.endswith(b"\n"))
    return bool(cells + ends + signs.quotes + signs.returns == len(data) - start)
