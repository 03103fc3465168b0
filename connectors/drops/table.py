"""One CSV file: its bytes -> a frame of text, the rows that do not fit, and findings."""

from __future__ import annotations

import polars as pl

from connectors.drops.cells import blanks_to_null, mojibake, without_apostrophes
from connectors.drops.encoding import utf8
from connectors.drops.escapes import put_back, put_back_in, set_aside
from connectors.drops.header import header_of
from connectors.drops.line_ends import odd_line_ends, only_lf
from connectors.drops.payload import refuse_other_payload
from connectors.drops.records import records_of
from connectors.drops.refusal import Refused
from connectors.drops.rows import Reading, drop_blank_rows, drop_unnamed, move, pad, refuse_rows, report
from connectors.drops.structure import empty, parse, proven
from transforms.findings import ROW, Findings, gather, of_file
from transforms.raw import RawFile

HEAD = 1 << 16


def read_table(
    name: str, data: bytes, encoding: str | None, strict: bool, escape: str = ""
) -> tuple[RawFile | None, Findings]:
    """Read one file, or give None and the findings that refuse it; `escape` is a sign before quotes inside cells."""
    found: list[Findings] = []
    try:
        if len(data) < HEAD and not data.strip(b" \t\r\n,;\x1a"):
            raise Refused("file_blank", name)
        refuse_other_payload(name, data)
        text, notes = utf8(name, data, encoding, strict)
        del data
        found += notes
        text = set_aside(text, escape)
        reading = _fast(name, text, strict) or _exact(name, text, strict)
        found += [*_delimiter(reading), *reading.found]
        reading.found = []
        table = _finished(reading, text, escape)
        found += reading.found
    except Refused as refused:
        return None, gather([*found, refused.findings])
    findings = gather(found)
    return (None if findings.fatal.height else table), findings


def _fast(name: str, text: bytes, strict: bool) -> Reading | None:
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
    return Reading(name, strict, header, frame.with_row_index(ROW, offset=1))


def _exact(name: str, text: bytes, strict: bool) -> Reading:
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
        numbers = numbers.filter(~numbers.is_in(pl.Series(list(records.refused), dtype=pl.UInt32).implode()))
    frame = frame.select(numbers, pl.all())
    reading = Reading(name, strict, header, frame, found=found, blanks=records.blanks)
    refuse_rows(reading, records)
    pad(reading, records)
    report(reading, "quote_stray", records.stray)
    report(reading, "line_break_in_cell", records.line_breaks)
    return reading


def _delimiter(reading: Reading) -> list[Findings]:
    mark = reading.header.delimiter
    return [] if mark == b"," else [of_file("delimiter", reading.name, repr(mark.decode()), strict=reading.strict)]


def _finished(reading: Reading, text: bytes, escape: str) -> RawFile:
    """Do what has to be done to the cells of any file."""
    ascii_only = text.isascii()
    texts = blanks_to_null(reading.frame.drop(ROW), ascii_only)
    reading.frame = texts.insert_column(0, reading.frame[ROW])
    drop_blank_rows(reading)
    drop_unnamed(reading)
    reading.frame, found = without_apostrophes(reading.frame, reading.name, reading.strict)
    reading.found += [*found, *(() if ascii_only else mojibake(reading.frame, reading.name, text))]
    refused = gather(reading.found).errors.filter(pl.col("severity") == "error")["row"].drop_nulls()
    move(reading, sorted(set(refused) - set(reading.ragged)))
    ragged = {row: put_back_in(cells, escape) for row, cells in sorted(reading.ragged.items())}
    return RawFile(reading.name, put_back(reading.frame, escape), reading.header.cells, ragged)
