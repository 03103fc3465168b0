"""One CSV file: its bytes -> a frame of text, the rows that do not fit, and findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from connectors.drops.cells import blanks_to_null, mojibake, told, without_apostrophes
from connectors.drops.encoding import utf8
from connectors.drops.header import Header, header_of
from connectors.drops.line_ends import odd_line_ends, only_lf
from connectors.drops.payload import refuse_other_payload
from connectors.drops.records import Records, records_of
from connectors.drops.refusal import Refused, printable
from connectors.drops.structure import empty, parse, proven
from transforms.findings import ROW, Findings, gather, of_file, of_rows
from transforms.raw import RawFile

HEAD = 1 << 16


@dataclass
class _Reading:
    """A file while it is being read."""

    name: str
    strict: bool
    header: Header
    frame: pl.DataFrame
    ragged: dict[int, tuple[str, ...]] = field(default_factory=dict)
    found: list[Findings] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)


def read_table(name: str, data: bytes, encoding: str | None, strict: bool) -> tuple[RawFile | None, Findings]:
    """Read one file, or give None and the findings that refuse it."""
    found: list[Findings] = []
    try:
        if not data.strip(b" \t\r\n,;\x1a") and len(data) < HEAD:
            raise Refused("file_blank", name)
        refuse_other_payload(name, data)
        text, notes = utf8(name, data, encoding, strict)
        del data
        found += notes
        reading = _fast(name, text, strict) or _exact(name, text, strict)
        found += [*_delimiter(reading), *reading.found]
        reading.found = []
        table = _finished(reading, text)
        found += reading.found
    except Refused as refused:
        return None, gather([*found, refused.findings])
    findings = gather(found)
    return (None if findings.fatal.height else table), findings


def _fast(name: str, text: bytes, strict: bool) -> _Reading | None:
    """Read a file in which nothing is amiss; None if that cannot be proven."""
    end = text.find(b"\n", 0, HEAD)
    first = text[: end if end >= 0 else HEAD].removesuffix(b"\r")
    if not first.strip() or b"\r" in first or (end < 0 and len(text) > HEAD):
        return None
    try:
        header = header_of(name, only_lf(text[:HEAD]))
    except Refused:
        return None  # told from the whole file, not from its beginning
    if header.skipped or header.start != len(first) + (end >= 0):
        return None
    frame = proven(text, header)
    if frame is None:
        return None
    return _Reading(name, strict, header, frame.with_row_index(ROW, offset=1))


def _exact(name: str, text: bytes, strict: bool) -> _Reading:
    """Read a file record by record."""
    found = odd_line_ends(name, text)
    text = only_lf(text)
    header = header_of(name, text)
    records = records_of(name, text, header)
    del text
    body = b"".join(records.body)
    records.body.clear()
    frame = parse(body, header) if body else empty(header)
    numbers = pl.int_range(1, records.rows + 1, dtype=pl.UInt32, eager=True).alias(ROW)
    if records.refused:
        numbers = numbers.filter(~numbers.is_in(pl.Series(records.refused, dtype=pl.UInt32).implode()))
    frame = frame.select(numbers, pl.all())
    reading = _Reading(name, strict, header, frame, found=found, blanks=records.blanks)
    _refuse_rows(reading, records)
    _pad(reading, records)
    _report(reading, "quote_stray", records.stray)
    _report(reading, "line_break_in_cell", records.line_breaks)
    return reading


def _refuse_rows(reading: _Reading, records: Records) -> None:
    for rule in ("ragged_row", "quote_damaged", "control_character"):
        rows = {row: cells for row, (broken, cells) in records.refused.items() if broken == rule}
        texts = {row: tuple(cell.decode() for cell in cells) for row, cells in rows.items()}
        reading.ragged.update(texts)
        _refusals(reading, rule, texts)


def _refusals(reading: _Reading, rule: str, rows: dict[int, tuple[str, ...]]) -> None:
    delimiter = reading.header.delimiter.decode()
    values = [printable(delimiter.join(cells)) for cells in rows.values()]
    frame = _numbered(rows, values)
    reading.found.append(of_rows(rule, frame, file=reading.name, entity="", value="value", strict=reading.strict))


def _pad(reading: _Reading, records: Records) -> None:
    """Keep short rows, if the cells that they lack are blank in every row; otherwise they are ragged."""
    columns = reading.header.columns
    used = [i for i, column in enumerate(columns) if reading.frame[column].drop_nulls().str.strip_chars().ne("").any()]
    needed = max(used, default=-1) + 1
    padded = [row for row, size in records.short.items() if size >= needed]
    _move(reading, [row for row, size in records.short.items() if size < needed], "ragged_row", records.short)
    _report(reading, "row_padded", sorted([*padded, *records.cut]))


def _move(reading: _Reading, rows: list[int], rule: str = "", sizes: dict[int, int] | None = None) -> None:
    """Take rows out of the frame to those that do not fit; under `rule`, say so."""
    if not rows:
        return
    chosen = pl.col(ROW).is_in(pl.Series(rows, dtype=pl.UInt32).implode())
    taken = {row[0]: tuple(cell or "" for cell in row[1:]) for row in reading.frame.filter(chosen).iter_rows()}
    taken = {row: cells[: (sizes or {}).get(row)] for row, cells in taken.items()}
    reading.frame = reading.frame.filter(~chosen)
    reading.ragged.update(taken)
    if rule:
        _refusals(reading, rule, taken)


def _report(reading: _Reading, rule: str, rows: list[int]) -> None:
    frame = _numbered(rows, [""] * len(rows))
    reading.found.append(of_rows(rule, frame, file=reading.name, entity="", value="value", strict=reading.strict))


def _numbered(rows: Iterable[int], values: list[str]) -> pl.DataFrame:
    columns = {ROW: list(rows), "sourcedId": [None] * len(values), "value": values}
    return pl.DataFrame(columns, schema={ROW: pl.UInt32, "sourcedId": pl.String, "value": pl.String})


def _delimiter(reading: _Reading) -> list[Findings]:
    mark = reading.header.delimiter
    return [] if mark == b"," else [of_file("delimiter", reading.name, repr(mark.decode()), strict=reading.strict)]


def _finished(reading: _Reading, text: bytes) -> RawFile:
    """Do what has to be done to the cells of any file."""
    texts = blanks_to_null(reading.frame.drop(ROW), text)
    reading.frame = texts.insert_column(0, reading.frame[ROW])
    _drop_blank_rows(reading)
    _drop_unnamed(reading)
    reading.frame, found = without_apostrophes(reading.frame, reading.name, reading.strict)
    reading.found += [*found, *mojibake(reading.frame, reading.name, text)]
    refused = gather(reading.found).errors.filter(pl.col("severity") == "error")["row"].drop_nulls()
    _move(reading, sorted(set(refused) - set(reading.ragged)))
    return RawFile(reading.name, reading.frame, reading.header.cells, dict(sorted(reading.ragged.items())))


def _drop_blank_rows(reading: _Reading) -> None:
    """Leave out rows without any value, and report blank lines that have a record after them."""
    columns = reading.header.columns
    if reading.frame[columns[0]].null_count():
        blank = pl.all_horizontal(pl.col(columns).is_null())
        reading.blanks += reading.frame.filter(blank)[ROW].to_list()
        reading.frame = reading.frame.filter(~blank)
    last = max(reading.frame[ROW].max() or 0, max(reading.ragged, default=0))  # type: ignore[type-var]
    inside = sorted(row for row in reading.blanks if row < last)  # type: ignore[operator]
    if inside:
        found = of_file("blank_line", reading.name, count=len(inside), row=inside[0] + 1, strict=reading.strict)
        reading.found.append(found)


def _drop_unnamed(reading: _Reading) -> None:
    """Leave out columns without a name; rows with a cell in one of them are refused."""
    unnamed = reading.header.unnamed
    if not unnamed:
        return
    filled = reading.frame.filter(pl.any_horizontal(pl.col(unnamed).is_not_null()))
    empty_columns = [column for column in unnamed if not filled[column].count()]
    _move(reading, filled[ROW].to_list(), "unnamed_cell")
    reading.frame = reading.frame.drop(unnamed)
    if empty_columns:
        found = of_file("header_blank", reading.name, count=len(empty_columns), strict=reading.strict)
        reading.found.append(found)


__all__ = ["read_table", "told"]
