"""Spelling of cells: turn other spellings of a value into the standard's.

A value that cannot be read stays as it is, and the check then rejects it with its original text.
Every change is counted, and reported with its first examples.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from transforms.findings import ROW, Findings, row_findings
from transforms.moments import parse_timestamp
from transforms.payload import METADATA
from transforms.schemas import Column, Entity
from transforms.schemas.entity import BRACES, LISTS, Kind
from transforms.schemas.vocabularies import TOBEDELETED

NULL_WORDS = ("NULL", "Null", "null", "N/A", "n/a", "#N/A", "None", "NaN", "nan")
NULLS = pl.Series(NULL_WORDS).implode()
BOOLEANS = {"true": ("t", "1", "yes", "y"), "false": ("f", "0", "no", "n")}
LEGACY = {"inactive": TOBEDELETED}  # OneRoster 1.0
# Never `\d`: in polars it matches the digits of every script.
OFFSET = r"[+\-][0-9]{2}:?[0-9]{2}$"
# Two digits up to 12 may be a month.
YEARS = r"^([0-9]{4}|1[3-9]|[2-9][0-9])\s*[-/]\s*([0-9]{2}|[0-9]{4})$"
# What a spreadsheet adds to whole numbers.
FRACTION = r"\.0+$"
# An address with what mail programs and exports write around it.
_ADDRESS = r"[^@\s,;<>()\[\]:]+@[^@\s,;<>()\[\]:]*[^@\s,;<>()\[\]:.]"
AROUND_ADDRESS = rf"(?i)^(?:[^@<>]*<)?\s*(?:mailto:)?\s*({_ADDRESS})\s*>?[\s;,.]*$"
ADDRESS = "email"
INVISIBLE = "[\u200b\u200c\u200d\u2060\ufeff]"
DECIMALS = r"^[0-9]+\.0(,[0-9]+\.0)*$"
# Lists whose items are plain words. Other items are in braces, where a semicolon may be data.
PLAIN: tuple[Kind, ...] = ("references", "texts", "enums")
_ITEM = r'\s*(?:"[^",]+"|[^",\s\[\]]+)\s*'
ARRAY = rf"^\s*\[(?:\s*|{_ITEM}(?:,{_ITEM})*)\]\s*$"


def normalize_spelling(
    entity: Entity, frame: pl.DataFrame, file: str, strict: bool
) -> tuple[pl.DataFrame, list[Findings]]:
    """Change the cells to the standard's spelling; under `--strict`, leave them as they are."""
    if strict or not frame.height:
        return frame, []
    frame, found = clean_cells(entity, frame, file)
    for rule, changes in (("respelled", _correct_spellings), ("decimal_ids", remove_decimals)):
        frame, notices = _apply(frame, dict(changes(entity, frame)), rule, file)
        found += notices
    return frame, found


def clean_cells(
    entity: Entity, frame: pl.DataFrame, file: str
) -> tuple[pl.DataFrame, list[Findings]]:
    """Remove what any layout may write around or instead of values: spaces, words for "nothing"."""
    frame, padded = _apply(frame, dict(_trim_spaces(entity, frame)), "padded", file)
    frame, nulls = _apply(frame, dict(_blank_null_words(entity, frame)), "null_words", file)
    frame, addresses = _apply(frame, dict(_bare_addresses(entity, frame)), "respelled", file)
    return frame, [*padded, *nulls, *addresses]


def _apply(
    frame: pl.DataFrame, changes: dict[str, pl.Expr], rule: str, file: str
) -> tuple[pl.DataFrame, list[Findings]]:
    if not changes:
        return frame, []
    changed = frame.with_columns(**changes)
    found = []
    for name in changes:
        rows = frame.filter(frame[name].ne_missing(changed[name]))
        found.append(
            row_findings(
                rule,
                rows.rename({name: "#value"}),
                file=file,
                entity="",
                column=name,
                value="#value",
            )
        )
    return changed, [part for part in found if part.notices]


def _text_columns(entity: Entity, frame: pl.DataFrame) -> list[str]:
    return [
        name
        for name in frame.columns
        if name != ROW and (name.startswith(METADATA) or name in entity.by_name)
    ]


def _columns_with_any(frame: pl.DataFrame, tests: dict[str, pl.Expr]) -> list[str]:
    """Return the columns where any cell passes its test, found in one pass over the frame."""
    if not tests:
        return []
    hits = frame.select(test.any().alias(name) for name, test in tests.items()).row(0, named=True)
    return [name for name, hit in hits.items() if hit]


def _trim_spaces(entity: Entity, frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    """Remove spaces of any width around values, and normalize accents (NFC).

    Ids also lose invisible characters.
    """
    names = _text_columns(entity, frame)
    for name in _columns_with_any(frame, {name: may_be_padded(name) for name in names}):
        yield name, trimmed(name, is_id=name in entity.by_name and entity[name].is_id)


def may_be_padded(name: str) -> pl.Expr:
    """Whether cells of a column may have spaces around their value, or accents in two parts."""
    cell = pl.col(name)
    not_ascii = cell.str.len_bytes() != cell.str.len_chars()
    return cell.str.starts_with(" ") | cell.str.ends_with(" ") | not_ascii


def trimmed(name: str, *, is_id: bool) -> pl.Expr:
    """Return the cells of a column without spaces around them, blank ones as null."""
    cell = pl.col(name).str.normalize("NFC").str.strip_chars()
    if is_id:
        cell = cell.str.replace_all(INVISIBLE, "")
    return pl.when(cell != "").then(cell)


def _blank_null_words(entity: Entity, frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    """Read words for "nothing" as blank, except in required texts: some people are named Null."""
    required_texts = {
        column.name for column in entity.columns if column.kind == "text" and column.required
    }
    names = [name for name in _text_columns(entity, frame) if name not in required_texts]
    for name in _columns_with_any(frame, {name: pl.col(name).is_in(NULLS) for name in names}):
        yield name, pl.when(~pl.col(name).is_in(NULLS)).then(pl.col(name))


def _bare_addresses(entity: Entity, frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    """Remove `mailto:`, a name before the address, and marks after it."""
    if ADDRESS in entity.by_name and ADDRESS in frame.columns:
        cell = pl.col(ADDRESS)
        for name in _columns_with_any(frame, {ADDRESS: cell.str.contains(r"[;,<>:]|\.$")}):
            yield name, cell.str.extract(AROUND_ADDRESS).fill_null(cell)


def _correct_spellings(entity: Entity, frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    columns = [entity[name] for name in frame.columns if name in entity.by_name]
    tests = {
        column.name: test for column in columns if (test := _needs_correction(column)) is not None
    }
    for name in _columns_with_any(frame, tests):
        yield name, _correction(entity[name])


def _needs_correction(column: Column) -> pl.Expr | None:
    """Return a test for cells that may need another spelling; None if the kind has only one."""
    if (lists := list_needs_correction(column)) is not None:
        return lists
    cell = pl.col(column.name)
    if column.values:
        return ~cell.is_in(pl.Series(column.values).implode())
    if column.kind == "datetime":
        return cell.str.contains(OFFSET)
    if column.kind == "integer":
        return cell.str.contains(FRACTION)
    return cell.str.len_bytes() != len("2026") if column.kind == "year" else None


def _correction(column: Column) -> pl.Expr:
    cell = pl.col(column.name)
    if column.is_list:
        return comma_separated(column)
    if column.values:
        return cell.str.to_lowercase().replace_strict(_spellings_of(column), default=cell)
    if column.kind == "datetime":
        return _in_utc(cell)
    whole = cell.str.replace(FRACTION, "")
    return whole if column.kind == "integer" else _end_year(whole)


def _spellings_of(column: Column) -> dict[str, str]:
    """Return the value for each spelling in lower case; `1` and `yes` count in booleans only."""
    spellings = {value.lower(): value for value in column.values}
    if column.kind == "boolean":
        spellings |= {word: value for value, words in BOOLEANS.items() for word in words}
    return spellings | {word: value for word, value in LEGACY.items() if value in column.values}


def _in_utc(cell: pl.Expr) -> pl.Expr:
    """Convert timestamps with an offset to UTC; leave those without one, which are ambiguous."""
    moment = parse_timestamp(cell).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    return pl.when(cell.str.contains(OFFSET)).then(moment).otherwise(None).fill_null(cell)


def _end_year(cell: pl.Expr) -> pl.Expr:
    """Rewrite `2026-2027`, `2026-27` and `26-27` as 2027: the standard names a year by its end."""
    parts = cell.str.extract_groups(YEARS)
    first, last = parts.struct.field("1"), parts.struct.field("2")
    first = pl.when(first.str.len_chars() == 2).then("20" + first).otherwise(first)
    end = pl.when(last.str.len_chars() == 2).then(first.str.head(2) + last).otherwise(last)
    return (
        pl.when(end.cast(pl.Int32, strict=False) - first.cast(pl.Int32, strict=False) == 1)
        .then(end)
        .otherwise(cell)
    )


def remove_decimals(entity: Entity, frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    """Remove `.0` from the ids of a column, if all of them have it.

    If only some of them have it, `.0` may be part of the ids, and they stay as they are.
    """
    for column in entity.current:
        if column.is_id and column.name in frame.columns and _all_decimal(frame[column.name]):
            yield column.name, pl.col(column.name).str.replace_all(r"\.0(,|$)", "$1")


def _all_decimal(ids: pl.Series) -> bool:
    first = ids.is_not_null().arg_max()  # most columns are ruled out by their first id
    if first is None or not str(ids[first]).endswith(".0"):
        return False
    return bool(ids.str.contains(DECIMALS).all())  # `all` ignores nulls


def list_needs_correction(column: Column) -> pl.Expr | None:
    """Return a test for cells that may be lists in another spelling; None if it holds no lists."""
    cell = pl.col(column.name)
    if column.kind not in LISTS:
        return None
    spaced = cell.str.contains(", ", literal=True) | cell.str.contains(" ,", literal=True)
    if column.kind not in PLAIN:
        return spaced
    return spaced | cell.str.contains(";", literal=True) | cell.str.starts_with("[")


def comma_separated(column: Column) -> pl.Expr:
    """Return the cells as lists with one comma between items; also read JSON arrays and semicolons.

    A cell with both commas and semicolons keeps them: it is unclear which of them separates items.
    """
    cell = pl.col(column.name)
    if column.kind in PLAIN:
        inner = (
            cell.str.strip_chars()
            .str.strip_chars("[]")
            .str.replace_all('"', "", literal=True)
            .str.strip_chars()
        )
        cell = (
            pl.when(cell.str.contains(ARRAY)).then(pl.when(inner != "").then(inner)).otherwise(cell)
        )
        semicolons = cell.str.contains(";", literal=True) & ~cell.str.contains(",", literal=True)
        cell = (
            pl.when(semicolons)
            .then(cell.str.replace_all(r"\s*;\s*", ",").str.strip_chars(","))
            .otherwise(cell)
        )
    if column.kind in BRACES:
        return cell.str.replace_all(r"\}\s*,\s*\{", "},{")
    return cell.str.replace_all(r"\s*,\s*", ",")
