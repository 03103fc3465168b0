"""The rows of a file being read: those in the frame, those that do not fit, and what is reported of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from connectors.drops.header import Header
from connectors.drops.records import Records
from connectors.drops.refusal import printable
from transforms.findings import ROW, Findings, of_file, of_rows


@dataclass
class Reading:
    """A file while it is being read."""

    name: str
    strict: bool
    header: Header
    frame: pl.DataFrame
    ragged: dict[int, tuple[str, ...]] = field(default_factory=dict)
    found: list[Findings] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)


def refuse_rows(reading: Reading, records: Records) -> None:
    for rule in ("ragged_row", "quote_damaged", "control_character"):
        rows = {row: cells for row, (broken, cells) in records.refused.items() if broken == rule}
        texts = {row: tuple(cell.decode() for cell in cells) for row, cells in rows.items()}
        reading.ragged.update(texts)
        _refusals(reading, rule, texts)


def _refusals(reading: Reading, rule: str, rows: dict[int, tuple[str, ...]]) -> None:
    delimiter = reading.header.delimiter.decode()
    values = [printable(delimiter.join(cells)) for cells in rows.values()]
    frame = _numbered(rows, values)
    reading.found.append(of_rows(rule, frame, file=reading.name, entity="", value="value", strict=reading.strict))


def pad(reading: Reading, records: Records) -> None:
    """Keep short rows, if the cells that they lack are blank in every row; otherwise they are ragged.

    A blank cell too many is nothing if every row has it; in some rows only, a comma inside a cell was
    not quoted, and the cells after it are not what the header says.
    """
    columns = reading.header.columns
    used = [i for i, column in enumerate(columns) if reading.frame[column].drop_nulls().str.strip_chars().ne("").any()]
    needed = max(used, default=-1) + 1
    padded = [row for row, size in records.short.items() if size >= needed]
    move(reading, [row for row, size in records.short.items() if size < needed], "ragged_row", records.short)
    every_row = len(records.cut) == reading.frame.height
    if not every_row:
        move(reading, records.cut, "ragged_row")
    report(reading, "row_padded", sorted([*padded, *(records.cut if every_row else ())]))


def move(reading: Reading, rows: list[int], rule: str = "", sizes: dict[int, int] | None = None) -> None:
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


def report(reading: Reading, rule: str, rows: list[int]) -> None:
    frame = _numbered(rows, [""] * len(rows))
    reading.found.append(of_rows(rule, frame, file=reading.name, entity="", value="value", strict=reading.strict))


def _numbered(rows: Iterable[int], values: list[str]) -> pl.DataFrame:
    columns = {ROW: list(rows), "sourcedId": [None] * len(values), "value": values}
    return pl.DataFrame(columns, schema={ROW: pl.UInt32, "sourcedId": pl.String, "value": pl.String})


def drop_blank_rows(reading: Reading) -> None:
    """Leave out rows without any value, and report blank lines that have a record after them."""
    columns = reading.header.columns
    if reading.frame[columns[0]].null_count():
        blank = pl.all_horizontal(pl.col(columns).is_null())
        reading.blanks += reading.frame.filter(blank)[ROW].to_list()
        reading.frame = reading.frame.filter(~blank)
    last = max([*reading.frame[ROW].tail(1), *reading.ragged], default=0)
    inside = sorted(row for row in reading.blanks if row < last)
    if inside:
        found = of_file("blank_line", reading.name, count=len(inside), row=inside[0] + 1, strict=reading.strict)
        reading.found.append(found)


def drop_unnamed(reading: Reading) -> None:
    """Leave out columns without a name; rows with a cell in one of them are refused."""
    unnamed = reading.header.unnamed
    if not unnamed:
        return
    filled = reading.frame.filter(pl.any_horizontal(pl.col(unnamed).is_not_null()))
    empty_columns = [column for column in unnamed if not filled[column].count()]
    move(reading, filled[ROW].to_list(), "unnamed_cell")
    reading.frame = reading.frame.drop(unnamed)
    if empty_columns:
        found = of_file("header_blank", reading.name, count=len(empty_columns), strict=reading.strict)
        reading.found.append(found)
