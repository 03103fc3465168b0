"""The header: where it is, which character separates its cells, and whether it is one at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.drops.record import OpenQuoteError, Record, record_at
from connectors.drops.refusal import Refused
from transforms.findings import ROW

INVISIBLE = " \t\r\n\u00a0\u200b\ufeff"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# No column is called so; values are.
CERTAIN_DATA = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d?-\d\d?([T ].*)?|\d\d?/\d\d?/\d{2,4}",
    re.IGNORECASE,
)
LIKELY_DATA = re.compile(r"|[-+]?[\d.,:/ ]+|true|false|null|[^\w*#'\"(].*", re.IGNORECASE)
# How names of columns end in every layout known: sourcedId, School SIS ID, First Name, course_id, Grade.
COLUMN_WORD = re.compile(r".*(id|name|code|type|role|status|date|email|grade|grades|title|year|number)", re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """The header's cells, trimmed, a blank one where a column has no name; the records begin at `start`."""

    cells: tuple[str, ...]
    delimiter: bytes
    start: int
    skipped: int

    @property
    def columns(self) -> list[str]:
        """One name a column; a line feed, which no header has, begins the name of a column without one."""
        return [cell or f"\n{position}" for position, cell in enumerate(self.cells)]

    @property
    def unnamed(self) -> list[str]:
        """The columns without a name."""
        return [column for column in self.columns if column.startswith("\n")]


def header_of(name: str, data: bytes) -> Header:
    """Find the header of a file whose lines end in LF; raise `Refused` if it has none that can be trusted."""
    start = _first_line(data)
    if start == len(data):
        raise Refused("file_blank", name)
    delimiter = _delimiter(name, data, start)
    record = _record(name, data, start, delimiter)
    cells = _names(record)
    if CONTROL.search("".join(cells)):
        raise Refused("not_csv", name, "control characters in the header")
    _refuse_data(name, cells)
    _refuse_title(name, data, cells, record.end + 1)
    _refuse_twice(name, cells)
    return Header(cells, delimiter, min(record.end + 1, len(data)), data.count(b"\n", 0, start))


def _first_line(data: bytes) -> int:
    """Give the offset of the first line that is not blank."""
    blank = re.match(rb"(?:[ \t,;]*+\n)*+", data)
    start = blank.end() if blank else 0
    return start if data[start : start + 4096].strip(b" \t,;\n") or data[start:].strip(b" \t,;\n") else len(data)


def _delimiter(name: str, data: bytes, start: int) -> bytes:
    """Find the one character that separates the header's cells."""
    found = [mark for mark in (b",", b";", b"\t", b"|") if len(_record(name, data, start, mark).cells) > 1]
    if len(found) > 1 or found == [b"|"]:
        raise Refused("delimiter_unclear", name, "the header holds " + " and ".join(repr(m.decode()) for m in found))
    return found[0] if found else b","


def _record(name: str, data: bytes, start: int, delimiter: bytes) -> Record:
    try:
        record = record_at(data, start, delimiter)
    except OpenQuoteError as error:
        raise Refused("file_truncated", name, "a quote in the header is never closed") from error
    return record


def _names(record: Record) -> tuple[str, ...]:
    cells = (cell.decode("utf-8", "replace").strip(INVISIBLE).replace("\n", " ") for cell in record.cells)
    return tuple(cells)


def _refuse_data(name: str, cells: tuple[str, ...]) -> None:
    """Raise `Refused` if the cells are values rather than names. Separators at the end do not count."""
    last = max((position for position, cell in enumerate(cells) if cell), default=-1)
    certain = [cell for cell in cells if CERTAIN_DATA.fullmatch(cell)]
    likely = [cell for cell in cells[: last + 1] if LIKELY_DATA.fullmatch(cell)]
    if certain or len(likely) * 2 > last + 1:
        raise Refused("no_header", name, "line 1")


def _refuse_title(name: str, data: bytes, cells: tuple[str, ...], second: int) -> None:
    """Raise `Refused` if a line stands above the header: line 2 has names of columns, more than line 1."""
    if second >= len(data):
        return
    try:
        names = max((_names(record_at(data, second, mark)) for mark in (b",", b";", b"\t")), key=len)
    except OpenQuoteError:
        return  # told when the rows are read
    filled, under = sum(map(bool, cells)), sum(map(bool, names))
    words, words_below = _column_words(cells), _column_words(names)
    if filled != under and words < 2 <= words_below and words_below * 2 >= under and not any(map(_is_value, names)):
        raise Refused("no_header", name, f"line 1 stands above the header: {', '.join(filter(None, cells))}")


def _column_words(cells: tuple[str, ...]) -> int:
    return sum(1 for cell in cells if COLUMN_WORD.fullmatch(cell))


def _is_value(cell: str) -> bool:
    return bool(cell and (CERTAIN_DATA.fullmatch(cell) or LIKELY_DATA.fullmatch(cell)))


def _refuse_twice(name: str, cells: tuple[str, ...]) -> None:
    named = [cell for cell in cells if cell]
    again = sorted({cell for cell in named if named.count(cell) > 1})
    if again:
        raise Refused("header_twice", name, ", ".join(again))
    if ROW in named:
        raise Refused("header_twice", name, f"{ROW} is the name of the row number")
