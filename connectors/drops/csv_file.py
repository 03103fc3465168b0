"""Read one CSV file: its bytes -> a frame of text, the rows that do not fit, and findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import polars as pl
import polars.selectors as cs

from connectors.drops.exact_path import Records, scan_records
from connectors.drops.fast_path import empty_frame, parse, read_if_sound
from connectors.drops.members import Refused, printable
from connectors.drops.text import (
    Header,
    find_header,
    hide_escapes,
    refuse_other_payload,
    restore_escapes,
    restore_escapes_in_row,
    to_lf,
    to_utf8,
    unusual_line_ends,
)
from transforms.findings import ROW, Findings, file_finding, merge_findings, row_findings
from transforms.roster import RawFile

HEAD = 1 << 16


def read_table(
    name: str, data: bytes, encoding: str | None, strict: bool, escape: str = ""
) -> tuple[RawFile | None, Findings]:
    """Read one file, or return None and the findings that refuse it.

    `escape` is the character before quotes inside cells, blank if the layout has none.
    """
    found: list[Findings] = []
    try:
        if len(data) < HEAD and not data.strip(b" \t\r\n,;\x1a"):
            raise Refused("file_blank", name)
        refuse_other_payload(name, data)
        text, notes = to_utf8(name, data, encoding, strict)
        del data
        found += notes
        text = hide_escapes(text, escape)
        reader = _read_fast(name, text, strict) or _read_exact(name, text, strict)
        if reader.header.delimiter != b",":
            mark = repr(reader.header.delimiter.decode())
            found.append(file_finding("delimiter", name, mark, strict=strict))
        found += reader.found
        reader.found = []
        table = _clean_cells(reader, text, escape)
        found += reader.found
    except Refused as refused:
        return None, merge_findings([*found, refused.findings])
    findings = merge_findings(found)
    return (None if findings.fatal.height else table), findings


def _read_fast(name: str, text: bytes, strict: bool) -> FileState | None:
    """Read a file that is proven to be sound; return None if it is not."""
    end = text.find(b"\n", 0, HEAD)
    first = text[: end if end >= 0 else HEAD].removesuffix(b"\r")
    if not first.strip() or b"\r" in first or (end < 0 and len(text) > HEAD):
        return None
    try:
        header = find_header(name, to_lf(text[:HEAD]))
    except Refused:
        return None  # the exact path reports it, from the whole file
    if header.skipped or header.start != len(first) + (end >= 0):
        return None
    frame = read_if_sound(text, header)
    if frame is None:
        return None
    return FileState(name, strict, header, frame.with_row_index(ROW, offset=1))


def _read_exact(name: str, text: bytes, strict: bool) -> FileState:
    """Read a file record by record."""
    found = unusual_line_ends(name, text)
    text = to_lf(text)
    header = find_header(name, text)
    records = scan_records(name, text, header)
    del text
    body = b"".join(records.body)
    records.body.clear()
    frame = parse(body, header) if body else empty_frame(header)
    numbers = pl.int_range(1, records.rows + 1, dtype=pl.UInt32, eager=True).alias(ROW)
    if records.refused:
        numbers = numbers.filter(
            ~numbers.is_in(pl.Series(list(records.refused), dtype=pl.UInt32).implode())
        )
    frame = frame.select(numbers, pl.all())
    reader = FileState(name, strict, header, frame, found=found, blanks=records.blanks)
    report_refused_records(reader, records)
    pad_short_rows(reader, records)
    report_rows(reader, "quote_stray", records.stray)
    report_rows(reader, "line_break_in_cell", records.line_breaks)
    return reader


def _clean_cells(reader: FileState, text: bytes, escape: str) -> RawFile:
    """Clean the cells, report what looks wrong, and move refused rows out of the frame."""
    ascii_only = text.isascii()
    texts = blanks_to_null(reader.frame.drop(ROW), ascii_only)
    reader.frame = texts.insert_column(0, reader.frame[ROW])
    remove_blank_rows(reader)
    remove_unnamed_columns(reader)
    remove_repeated_columns(reader)
    reader.frame, found = strip_apostrophes(reader.frame, reader.name, reader.strict)
    reader.found += [
        *found,
        *(() if ascii_only else mojibake_findings(reader.frame, reader.name, text)),
    ]
    refused = (
        merge_findings(reader.found)
        .errors.filter(pl.col("severity") == "error")["row"]
        .drop_nulls()
    )
    move_to_ragged(reader, sorted(set(refused) - set(reader.ragged)))
    ragged = {
        row: restore_escapes_in_row(cells, escape) for row, cells in sorted(reader.ragged.items())
    }
    return RawFile(reader.name, restore_escapes(reader.frame, escape), reader.header.cells, ragged)


@dataclass
class FileState:
    """The state of a file while it is read."""

    name: str
    strict: bool
    header: Header
    frame: pl.DataFrame  # `ROW` and the columns of the header
    ragged: dict[int, tuple[str, ...]] = field(default_factory=dict)  # refused rows: their cells
    found: list[Findings] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)  # rows or, for blank lines, the row before


def report_refused_records(reader: FileState, records: Records) -> None:
    """Report the records that the exact path refused, by the rule that they break."""
    for rule in ("ragged_row", "quote_damaged", "control_character"):
        rows = {row: cells for row, (broken, cells) in records.refused.items() if broken == rule}
        texts = {row: tuple(cell.decode() for cell in cells) for row, cells in rows.items()}
        reader.ragged.update(texts)
        _report_refused(reader, rule, texts)


def _report_refused(reader: FileState, rule: str, rows: dict[int, tuple[str, ...]]) -> None:
    delimiter = reader.header.delimiter.decode()
    _report(reader, rule, rows, [printable(delimiter.join(cells)) for cells in rows.values()])


def pad_short_rows(reader: FileState, records: Records) -> None:
    """Keep short rows if the cells that they lack are blank in every row; else refuse them.

    One blank cell too many is accepted if every row has it. If only some rows have it, a comma
    inside a cell was not quoted, and the cells after it are in the wrong columns.
    """
    used = [
        position
        for position, column in enumerate(reader.header.columns)
        if reader.frame[column].drop_nulls().str.strip_chars().ne("").any()
    ]
    needed = max(used, default=-1) + 1
    padded = [row for row, size in records.short.items() if size >= needed]
    too_short = [row for row, size in records.short.items() if size < needed]
    move_to_ragged(reader, too_short, "ragged_row", records.short)
    every_row = len(records.cut) == reader.frame.height
    if not every_row:
        move_to_ragged(reader, records.cut, "ragged_row")
    report_rows(reader, "row_padded", sorted([*padded, *(records.cut if every_row else ())]))


def move_to_ragged(
    reader: FileState, rows: list[int], rule: str = "", sizes: dict[int, int] | None = None
) -> None:
    """Move rows from the frame to the ragged rows, cut to `sizes`; report them under `rule`."""
    if not rows:
        return
    chosen = pl.col(ROW).is_in(pl.Series(rows, dtype=pl.UInt32).implode())
    moved = {
        row[0]: tuple(cell or "" for cell in row[1:])
        for row in reader.frame.filter(chosen).iter_rows()
    }
    moved = {row: cells[: (sizes or {}).get(row)] for row, cells in moved.items()}
    reader.frame = reader.frame.filter(~chosen)
    reader.ragged.update(moved)
    if rule:
        _report_refused(reader, rule, moved)


def report_rows(reader: FileState, rule: str, rows: list[int]) -> None:
    """Report rows under a rule, without their values."""
    _report(reader, rule, rows, [""] * len(rows))


def _report(reader: FileState, rule: str, rows: Iterable[int], values: list[str]) -> None:
    frame = pl.DataFrame(
        {ROW: list(rows), "sourcedId": [None] * len(values), "value": values},
        schema={ROW: pl.UInt32, "sourcedId": pl.String, "value": pl.String},
    )
    reader.found.append(
        row_findings(rule, frame, file=reader.name, entity="", value="value", strict=reader.strict)
    )


def remove_blank_rows(reader: FileState) -> None:
    """Remove rows without any value, and report blank lines that have a record after them."""
    columns = reader.header.columns
    if reader.frame[columns[0]].null_count():
        blank = pl.all_horizontal(pl.col(columns).is_null())
        reader.blanks += reader.frame.filter(blank)[ROW].to_list()
        reader.frame = reader.frame.filter(~blank)
    last = max([*reader.frame[ROW].tail(1), *reader.ragged], default=0)
    inside = sorted(row for row in reader.blanks if row < last)
    if inside:
        reader.found.append(
            file_finding(
                "blank_line",
                reader.name,
                count=len(inside),
                row=inside[0] + 1,
                strict=reader.strict,
            )
        )


def remove_unnamed_columns(reader: FileState) -> None:
    """Remove columns without a name, and refuse the rows that have a value in one of them."""
    unnamed = reader.header.unnamed
    if not unnamed:
        return
    filled = reader.frame.filter(pl.any_horizontal(pl.col(unnamed).is_not_null()))
    empty_columns = [column for column in unnamed if not filled[column].count()]
    move_to_ragged(reader, filled[ROW].to_list(), "unnamed_cell")
    reader.frame = reader.frame.drop(unnamed)
    if empty_columns:
        reader.found.append(
            file_finding(
                "header_blank", reader.name, count=len(empty_columns), strict=reader.strict
            )
        )


def remove_repeated_columns(reader: FileState) -> None:
    """Of columns with one name, keep the one that has values.

    Raises `Refused` if several of them have.
    """
    repeated = reader.header.repeated
    filled = {
        name: [column for column in columns if reader.frame[column].count()]
        for name, columns in repeated.items()
    }
    if unclear := [name for name, columns in filled.items() if len(columns) > 1]:
        raise Refused("header_twice", reader.name, ", ".join(unclear))
    cells = list(reader.header.cells)
    for name, columns in repeated.items():
        kept = (filled[name] or columns)[0]
        others = [column for column in columns if column != kept]
        for column in others:
            cells[reader.header.columns.index(column)] = ""
        reader.frame = reader.frame.drop(others).rename({kept: name})
        reader.found.append(
            file_finding(
                "header_repeated",
                reader.name,
                column=name,
                count=len(others),
                strict=reader.strict,
            )
        )
    if repeated:
        reader.header = replace(reader.header, cells=tuple(cells))


# UTF-8 that was read as Windows-1252 (a lead byte as Â, Ã or â€, then a continuation byte), or a
# character that was lost earlier.
MOJIBAKE = "\ufffd|â€|[ÂÃ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ\u017d‘’“”•–—˜™š›œ\u017eŸ]"
MOJIBAKE_BYTES = (b"\xef\xbf\xbd", "â€".encode(), "Ã".encode(), "Â".encode())


def blanks_to_null(frame: pl.DataFrame, ascii_only: bool) -> pl.DataFrame:
    """Replace cells that hold only whitespace by null."""
    # "!" is the first visible character: one comparison finds "" and cells that begin with a space.
    blank = pl.all() < "!" if ascii_only else pl.all().str.strip_chars() == ""
    suspects = frame.select(blank.any()).row(0) if frame.height else ()
    columns = [column for column, suspect in zip(frame.columns, suspects, strict=False) if suspect]
    return frame.with_columns(
        pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column)).alias(column)
        for column in columns
    )


def strip_apostrophes(
    frame: pl.DataFrame, name: str, strict: bool
) -> tuple[pl.DataFrame, list[Findings]]:
    """Remove the apostrophes around the values of a column if every value has them."""
    found = []
    for column in _apostrophe_columns(frame):
        if not _all_in_apostrophes(frame[column]):
            continue
        rows = cells_with_rows(frame.filter(pl.col(column).is_not_null()), column)
        found.append(
            row_findings(
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


def mojibake_findings(frame: pl.DataFrame, name: str, data: bytes) -> list[Findings]:
    """Report cells that look damaged by a wrong conversion."""
    if not any(mark in data for mark in MOJIBAKE_BYTES):
        return []
    columns = [column for column in frame.columns if column != ROW]
    return [
        row_findings(
            "mojibake",
            cells_with_rows(rows, column),
            file=name,
            entity="",
            column=column,
            value="value",
        )
        for column in columns
        if (rows := frame.filter(pl.col(column).str.contains(MOJIBAKE))).height
    ]


def cells_with_rows(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Give the rows the columns that `row_findings` needs.

    Only the layout knows their `sourcedId`.
    """
    return rows.select(
        ROW, pl.lit(None, pl.String).alias("sourcedId"), pl.col(column).alias("value")
    )


def _apostrophe_columns(frame: pl.DataFrame) -> list[str]:
    """Return the columns whose first value begins with an apostrophe. Others need no full scan."""
    columns = [column for column in frame.columns if column != ROW]
    if not frame.height or not columns:
        return []
    firsts = frame.select(cs.by_name(columns).is_not_null().arg_max()).row(0, named=True)
    return [
        column
        for column, first in firsts.items()
        if str(frame[column][first] or "").startswith("'")
    ]


def _all_in_apostrophes(values: pl.Series) -> bool:
    wrapped = values.str.starts_with("'") & values.str.ends_with("'") & (values.str.len_chars() > 1)
    return bool(wrapped.all())  # `all` ignores nulls
