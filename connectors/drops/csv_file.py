"""One CSV file: its bytes -> a frame of text, the rows that do not fit, and findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl
import polars.selectors as cs

from connectors.drops.exact_path import Records, records_of
from connectors.drops.fast_path import empty, parse, proven
from connectors.drops.members import Refused, printable
from connectors.drops.text import (
    Header,
    header_of,
    odd_line_ends,
    only_lf,
    put_back,
    put_back_in,
    refuse_other_payload,
    set_aside,
    utf8,
)
from transforms.findings import ROW, Findings, gather, of_file, of_rows
from transforms.roster import RawFile

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


def _fast(name: str, text: bytes, strict: bool) -> FileReader | None:
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
    return FileReader(name, strict, header, frame.with_row_index(ROW, offset=1))


def _exact(name: str, text: bytes, strict: bool) -> FileReader:
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
        numbers = numbers.filter(
            ~numbers.is_in(pl.Series(list(records.refused), dtype=pl.UInt32).implode())
        )
    frame = frame.select(numbers, pl.all())
    reading = FileReader(name, strict, header, frame, found=found, blanks=records.blanks)
    refuse_rows(reading, records)
    pad(reading, records)
    report(reading, "quote_stray", records.stray)
    report(reading, "line_break_in_cell", records.line_breaks)
    return reading


def _delimiter(reading: FileReader) -> list[Findings]:
    mark = reading.header.delimiter
    return (
        []
        if mark == b","
        else [of_file("delimiter", reading.name, repr(mark.decode()), strict=reading.strict)]
    )


def _finished(reading: FileReader, text: bytes, escape: str) -> RawFile:
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


@dataclass
class FileReader:
    """A file while it is being read."""

    name: str
    strict: bool
    header: Header
    frame: pl.DataFrame
    ragged: dict[int, tuple[str, ...]] = field(default_factory=dict)
    found: list[Findings] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)


def refuse_rows(reading: FileReader, records: Records) -> None:
    for rule in ("ragged_row", "quote_damaged", "control_character"):
        rows = {row: cells for row, (broken, cells) in records.refused.items() if broken == rule}
        texts = {row: tuple(cell.decode() for cell in cells) for row, cells in rows.items()}
        reading.ragged.update(texts)
        _refusals(reading, rule, texts)


def _refusals(reading: FileReader, rule: str, rows: dict[int, tuple[str, ...]]) -> None:
    delimiter = reading.header.delimiter.decode()
    values = [printable(delimiter.join(cells)) for cells in rows.values()]
    frame = _numbered(rows, values)
    reading.found.append(
        of_rows(rule, frame, file=reading.name, entity="", value="value", strict=reading.strict)
    )


def pad(reading: FileReader, records: Records) -> None:
    """Keep short rows, if the cells that they lack are blank in every row; otherwise they are ragged.

    A blank cell too many is nothing if every row has it; in some rows only, a comma inside a cell was
    not quoted, and the cells after it are not what the header says.
    """
    columns = reading.header.columns
    used = [
        i
        for i, column in enumerate(columns)
        if reading.frame[column].drop_nulls().str.strip_chars().ne("").any()
    ]
    needed = max(used, default=-1) + 1
    padded = [row for row, size in records.short.items() if size >= needed]
    move(
        reading,
        [row for row, size in records.short.items() if size < needed],
        "ragged_row",
        records.short,
    )
    every_row = len(records.cut) == reading.frame.height
    if not every_row:
        move(reading, records.cut, "ragged_row")
    report(reading, "row_padded", sorted([*padded, *(records.cut if every_row else ())]))


def move(
    reading: FileReader, rows: list[int], rule: str = "", sizes: dict[int, int] | None = None
) -> None:
    """Take rows out of the frame to those that do not fit; under `rule`, say so."""
    if not rows:
        return
    chosen = pl.col(ROW).is_in(pl.Series(rows, dtype=pl.UInt32).implode())
    taken = {
        row[0]: tuple(cell or "" for cell in row[1:])
        for row in reading.frame.filter(chosen).iter_rows()
    }
    taken = {row: cells[: (sizes or {}).get(row)] for row, cells in taken.items()}
    reading.frame = reading.frame.filter(~chosen)
    reading.ragged.update(taken)
    if rule:
        _refusals(reading, rule, taken)


def report(reading: FileReader, rule: str, rows: list[int]) -> None:
    frame = _numbered(rows, [""] * len(rows))
    reading.found.append(
        of_rows(rule, frame, file=reading.name, entity="", value="value", strict=reading.strict)
    )


def _numbered(rows: Iterable[int], values: list[str]) -> pl.DataFrame:
    columns = {ROW: list(rows), "sourcedId": [None] * len(values), "value": values}
    return pl.DataFrame(
        columns, schema={ROW: pl.UInt32, "sourcedId": pl.String, "value": pl.String}
    )


def drop_blank_rows(reading: FileReader) -> None:
    """Leave out rows without any value, and report blank lines that have a record after them."""
    columns = reading.header.columns
    if reading.frame[columns[0]].null_count():
        blank = pl.all_horizontal(pl.col(columns).is_null())
        reading.blanks += reading.frame.filter(blank)[ROW].to_list()
        reading.frame = reading.frame.filter(~blank)
    last = max([*reading.frame[ROW].tail(1), *reading.ragged], default=0)
    inside = sorted(row for row in reading.blanks if row < last)
    if inside:
        found = of_file(
            "blank_line", reading.name, count=len(inside), row=inside[0] + 1, strict=reading.strict
        )
        reading.found.append(found)


def drop_unnamed(reading: FileReader) -> None:
    """Leave out columns without a name; rows with a cell in one of them are refused."""
    unnamed = reading.header.unnamed
    if not unnamed:
        return
    filled = reading.frame.filter(pl.any_horizontal(pl.col(unnamed).is_not_null()))
    empty_columns = [column for column in unnamed if not filled[column].count()]
    move(reading, filled[ROW].to_list(), "unnamed_cell")
    reading.frame = reading.frame.drop(unnamed)
    if empty_columns:
        found = of_file(
            "header_blank", reading.name, count=len(empty_columns), strict=reading.strict
        )
        reading.found.append(found)


# UTF-8 read as Windows-1252 (a lead byte as Â, Ã or â€, then a second one), or a character lost already.
MOJIBAKE = "\ufffd|â€|[ÂÃ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ\u017d‘’“”•–—˜™š›œ\u017eŸ]"
MOJIBAKE_BYTES = (b"\xef\xbf\xbd", "â€".encode(), "Ã".encode(), "Â".encode())


def blanks_to_null(frame: pl.DataFrame, ascii_only: bool) -> pl.DataFrame:
    """Make cells null that hold nothing but whitespace."""
    # "!" is the first visible character, so that one comparison finds "" and whatever begins with a space.
    blank = pl.all() < "!" if ascii_only else pl.all().str.strip_chars() == ""
    suspects = frame.select(blank.any()).row(0) if frame.height else ()
    columns = [column for column, suspect in zip(frame.columns, suspects, strict=False) if suspect]
    return frame.with_columns(
        pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column)).alias(column)
        for column in columns
    )


def without_apostrophes(
    frame: pl.DataFrame, name: str, strict: bool
) -> tuple[pl.DataFrame, list[Findings]]:
    """Remove the apostrophes around the values of a column, if every value of it has them."""
    found = []
    for column in _begun_by_apostrophes(frame):
        if not _wrapped(frame[column]):
            continue
        rows = cell_findings(frame.filter(pl.col(column).is_not_null()), column)
        found.append(
            of_rows(
                "apostrophes",
                rows,
                file=name,
                entity="",
                column=column,
                value="value",
                strict=strict,
            )
        )
        inner = pl.col(column).str.slice(1).str.head(-1)
        frame = frame.with_columns(pl.when(inner.str.strip_chars() != "").then(inner).alias(column))
    return frame, found


def mojibake(frame: pl.DataFrame, name: str, data: bytes) -> list[Findings]:
    """Report cells that look damaged by a wrong conversion."""
    if not any(mark in data for mark in MOJIBAKE_BYTES):
        return []
    columns = [column for column in frame.columns if column != ROW]
    return [
        of_rows(
            "mojibake",
            cell_findings(rows, column),
            file=name,
            entity="",
            column=column,
            value="value",
        )
        for column in columns
        if (rows := frame.filter(pl.col(column).str.contains(MOJIBAKE))).height
    ]


def cell_findings(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Give the rows as `of_rows` wants them; whose they are, the layout knows."""
    return rows.select(
        ROW, pl.lit(None, pl.String).alias("sourcedId"), pl.col(column).alias("value")
    )


def _begun_by_apostrophes(frame: pl.DataFrame) -> list[str]:
    """Name the columns whose first value has an apostrophe before it: the others need no closer look."""
    columns = [column for column in frame.columns if column != ROW] if frame.height else []
    firsts = (
        frame.select(cs.by_name(columns).is_not_null().arg_max()).row(0, named=True)
        if columns
        else {}
    )
    return [
        column
        for column, first in firsts.items()
        if str(frame[column][first] or "").startswith("'")
    ]


def _wrapped(values: pl.Series) -> bool:
    sound = values.str.starts_with("'") & values.str.ends_with("'") & (values.str.len_chars() > 1)
    return bool(sound.all())  # nulls are left out
