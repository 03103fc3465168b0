"""One record of a CSV file (RFC 4180), read byte by byte where it is damaged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')


class OpenQuoteError(Exception):
    """A quote is open at the end of the file."""


@dataclass(frozen=True)
class Record:
    """The cells of a record; it ends at `end`, where a line feed is or the file ends.

    `stray`: a quote stands in an unquoted cell. `damaged`: text follows a closing quote.
    """

    cells: tuple[bytes, ...]
    end: int
    stray: bool
    damaged: bool

    @property
    def blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell.strip() for cell in self.cells)


def record_at(data: bytes, start: int, delimiter: bytes) -> Record:
    """Read the record that begins at `start`; lines end in LF. Raises `OpenQuoteError`."""
    bare = unquoted(delimiter)
    cells: list[bytes] = []
    stray = damaged = False
    end = start
    while True:
        cell = b""
        if data[end : end + 1] == b'"':
            quoted = QUOTED.match(data, end)
            if quoted is None:
                raise OpenQuoteError
            cell, end = quoted[0][1:-1].replace(b'""', b'"'), quoted.end()
            damaged = damaged or data[end : end + 1] not in (delimiter, b"\n", b"")
        else:
            stray = stray or b'"' in bare.match(data, end)[0]  # type: ignore[index]  # it matches nothing, too
        rest: bytes = bare.match(data, end)[0]  # type: ignore[index]
        cells.append(cell + rest)
        end += len(rest)
        if data[end : end + 1] != delimiter:
            return Record(tuple(cells), end, stray, damaged)
        end += 1


@cache
def unquoted(delimiter: bytes) -> re.Pattern[bytes]:
    """Match the rest of a cell up to the delimiter or the line's end."""
    return re.compile(rb"[^%b\n]*+" % delimiter)


@cache
def sound_line(delimiter: bytes, width: int) -> re.Pattern[bytes]:
    """Match a whole line of `width` cells, each quoted by RFC 4180 or without quotes."""
    cell = rb'(?>"[^"]*+(?:""[^"]*+)*+"|[^"%b]*+)' % delimiter
    return re.compile(rb"%b(?:%b%b){%d}" % (cell, delimiter, cell, width - 1))


def line_of(cells: tuple[bytes, ...], delimiter: bytes) -> bytes:
    """Write the cells as one sound line; line breaks in cells become spaces. The reverse of `record_at`."""
    return delimiter.join(_written(cell.replace(b"\n", b" "), delimiter) for cell in cells)


def _written(cell: bytes, delimiter: bytes) -> bytes:
    if b'"' in cell or delimiter in cell:
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell
