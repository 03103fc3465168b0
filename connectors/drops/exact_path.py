"""The exact path: go through a file record by record, and separate sound records from bad ones.

Only files that fail the proof in `fast_path` come here. Sound lines are neither split nor copied
one by one, so a file of a million rows with one bad row still takes seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from connectors.drops.members import Refused
from connectors.drops.text import (
    CsvRecord,
    Header,
    OpenQuoteError,
    format_line,
    read_record,
    sound_line_pattern,
)

CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass
class Records:
    """The records of a file. Rows are numbers; row 1 is the first record after the header."""

    # Records that fit the header, as sound lines.
    body: list[bytes] = field(default_factory=list)
    # How many records the file has.
    rows: int = 0
    # By row: the rule that the record breaks, and its cells.
    refused: dict[int, tuple[str, tuple[bytes, ...]]] = field(default_factory=dict)
    # By row: how many cells the record had before it was padded in `body`.
    short: dict[int, int] = field(default_factory=dict)
    # Rows with more cells than the header. The extra cells were blank, and are cut off in `body`.
    cut: list[int] = field(default_factory=list)
    # Rows with a quote inside an unquoted cell.
    stray: list[int] = field(default_factory=list)
    # Rows with a line break inside a cell.
    line_breaks: list[int] = field(default_factory=list)
    # For each blank line, the number of records before it.
    blanks: list[int] = field(default_factory=list)


def scan_records(name: str, data: bytes, header: Header) -> Records:
    """Go through the records of a file whose lines end in LF.

    Raises `Refused` if the file is cut short, or if a damaged record spans several lines, because
    then it is not certain which lines are records.
    """
    records = Records(blanks=[0] * header.skipped)
    scan = _Scan(name, data, header, records)
    start = kept = header.start
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        if scan.is_sound(start, end):
            records.rows += 1
        else:
            records.body.append(data[kept:start])
            end = scan.take(start, end)
            kept = end + 1
        start = end + 1
    records.body.append(data[kept:])
    return records


class _Scan:
    """One pass over a file, which fills `records`."""

    def __init__(self, name: str, data: bytes, header: Header, records: Records) -> None:
        self.name, self.data, self.records = name, data, records
        self.delimiter, self.width = header.delimiter, len(header.cells)
        self.sound = sound_line_pattern(self.delimiter, self.width)
        self.controls = CONTROL.search(data, header.start) is not None

    def is_sound(self, start: int, end: int) -> bool:
        """Return whether a line is a record that polars reads correctly."""
        data = self.data
        if data.find(b'"', start, end) < 0:
            fits = data.count(self.delimiter, start, end) == self.width - 1
        else:
            fits = self.sound.fullmatch(data, start, end) is not None
        if self.width == 1 and fits:
            fits = data[start:end].strip(b' \t"') != b""
        return fits and not (self.controls and CONTROL.search(data, start, end))

    def take(self, start: int, end: int) -> int:
        """Repair or refuse a record that is not sound, and return its end."""
        if not self.data[start:end].strip(b" \t" if self.delimiter != b"\t" else b" "):
            self.records.blanks.append(self.records.rows)
            return end
        self.records.rows += 1
        try:
            record = read_record(self.data, start, self.delimiter)
        except OpenQuoteError as error:
            raise self._refusal("file_truncated", start) from error
        line_breaks = self.data.count(b"\n", start, record.end)
        rule = self._broken_rule(record)
        short = len(record.cells) < self.width
        at_end = record.end == len(self.data) and not record.blank
        if at_end and short and not self._is_usual(len(record.cells)):
            raise self._refusal("file_truncated", start)
        if line_breaks and (rule in ("quote_damaged", "ragged_row") or short):
            raise self._refusal("quote_unclosed", start)
        if rule:
            self.records.refused[self.records.rows] = (rule, record.cells)
        else:
            self._repair(record, line_breaks)
        return record.end

    def _is_usual(self, size: int) -> bool:
        """Tell whether all records before this one lack just as many cells, so that it is whole."""
        before = self.records.rows - 1
        return before > 0 and [*self.records.short.values()] == [size] * before

    def _broken_rule(self, record: CsvRecord) -> str:
        if record.damaged:
            return "quote_damaged"
        if any(cell.strip() for cell in record.cells[self.width :]):
            return "ragged_row"
        return "control_character" if any(map(CONTROL.search, record.cells)) else ""

    def _repair(self, record: CsvRecord, line_breaks: int) -> None:
        """Add a record to `body` as a sound line of the header's width."""
        row, size = self.records.rows, len(record.cells)
        missing = self.width - size
        if missing > 0 and not record.blank:
            self.records.short[row] = size
        if missing < 0 and not record.blank:
            self.records.cut.append(row)
        if record.stray:
            self.records.stray.append(row)
        if line_breaks:
            self.records.line_breaks.append(row)
        cells = (*record.cells[: self.width], *(b"",) * missing)
        # polars does not count an empty line as a record.
        self.records.body.append((format_line(cells, self.delimiter) or b'""') + b"\n")

    def _refusal(self, rule: str, start: int) -> Refused:
        line = self.data.count(b"\n", 0, start) + 1
        return Refused(rule, self.name, f"the record that begins in line {line}", self.records.rows)
