"""The exact path: record by record, the sound ones are passed to polars and the others are named.

Only files that fail the proof in `structure` come here. Sound lines are neither split nor copied
one by one, so that a file of a million rows with one bad one still takes seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from connectors.drops.members import Refused
from connectors.drops.text import CsvRecord, Header, OpenQuoteError, line_of, record_at, sound_line

CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass
class Records:
    """What a pass over the records found; rows are numbers, 1 the first record after the header.

    `body` are the records that fit the header, as sound lines. `refused` are the others, with the
    rule that they break; `short` says how many cells a row had before it was padded in `body`.
    """

    body: list[bytes] = field(default_factory=list)
    rows: int = 0
    refused: dict[int, tuple[str, tuple[bytes, ...]]] = field(default_factory=dict)
    short: dict[int, int] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)
    line_breaks: list[int] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)


def records_of(name: str, data: bytes, header: Header) -> Records:
    """Go through the records of a file whose lines end in LF.

    Raises `Refused` if the file is cut short, or if a damaged record spans several lines: then it
    is not certain which lines are records at all.
    """
    found = Records(blanks=[0] * header.skipped)
    scan = _Scan(name, data, header, found)
    start = kept = header.start
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        if scan.is_sound(start, end):
            found.rows += 1
        else:
            found.body.append(data[kept:start])
            end = scan.take(start, end)
            kept = end + 1
        start = end + 1
    found.body.append(data[kept:])
    return found


class _Scan:
    """The file being gone through, and where what is found goes."""

    def __init__(self, name: str, data: bytes, header: Header, found: Records) -> None:
        self.name, self.data, self.found = name, data, found
        self.delimiter, self.width = header.delimiter, len(header.cells)
        self.sound = sound_line(self.delimiter, self.width)
        self.controls = CONTROL.search(data, header.start) is not None

    def is_sound(self, start: int, end: int) -> bool:
        """Tell whether a line is a record that polars reads right."""
        data = self.data
        if data.find(b'"', start, end) < 0:
            fits = data.count(self.delimiter, start, end) == self.width - 1
        else:
            fits = self.sound.fullmatch(data, start, end) is not None
        if self.width == 1 and fits:
            fits = data[start:end].strip(b' \t"') != b""
        return fits and not (self.controls and CONTROL.search(data, start, end))

    def take(self, start: int, end: int) -> int:
        """File a record that is not sound; give its end."""
        if not self.data[start:end].strip(b" \t" if self.delimiter != b"\t" else b" "):
            self.found.blanks.append(self.found.rows)
            return end
        self.found.rows += 1
        try:
            record = record_at(self.data, start, self.delimiter)
        except OpenQuoteError as error:
            raise self._refusal("file_truncated", start) from error
        lines = self.data.count(b"\n", start, record.end)
        rule = self._rule(record)
        if record.end == len(self.data) and len(record.cells) < self.width and not record.blank:
            raise self._refusal("file_truncated", start)
        if lines and (rule in ("quote_damaged", "ragged_row") or len(record.cells) < self.width):
            raise self._refusal("quote_unclosed", start)
        if rule:
            self.found.refused[self.found.rows] = (rule, record.cells)
        else:
            self._keep(record, lines)
        return record.end

    def _rule(self, record: CsvRecord) -> str:
        if record.damaged:
            return "quote_damaged"
        if any(cell.strip() for cell in record.cells[self.width :]):
            return "ragged_row"
        return "control_character" if any(map(CONTROL.search, record.cells)) else ""

    def _keep(self, record: CsvRecord, lines: int) -> None:
        row, size = self.found.rows, len(record.cells)
        missing = self.width - size
        if missing > 0 and not record.blank:
            self.found.short[row] = size
        if missing < 0 and not record.blank:
            self.found.cut.append(row)
        if record.stray:
            self.found.stray.append(row)
        if lines:
            self.found.line_breaks.append(row)
        cells = (*record.cells[: self.width], *(b"",) * missing)
        # A line without anything is no record to polars.
        self.found.body.append((line_of(cells, self.delimiter) or b'""') + b"\n")

    def _refusal(self, rule: str, start: int) -> Refused:
        line = self.data.count(b"\n", 0, start) + 1
        return Refused(rule, self.name, f"the record that begins in line {line}", self.found.rows)
