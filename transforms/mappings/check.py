"""Checks across the tables of a mapping file, and of its words against the standard."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from transforms.binding.names import comparable_name
from transforms.layouts.layout import File, Layout, Rows
from transforms.layouts.normalize import ID_COLUMNS
from transforms.mappings.problems import DocumentLocation, as_list, suggest
from transforms.schemas import ENTITIES, Column

# Names of columns that polars expressions read as a pattern.
PATTERN = re.compile(r"\*|\^.*\$", re.DOTALL)
Files = list[tuple[File, DocumentLocation]]
# Columns that `layouts.complete` adds to records that do not have them.
ADDED = {
    "users": {"enabledUser"},
    "roles": {"roleType"},
    "classes": {"classType", "termSourcedIds"},
    "academicSessions": {"startDate", "endDate", "schoolYear"},
    "enrollments": {"schoolSourcedId"},
}


def check_files(files: Files, names: list[str]) -> None:
    """Check the files together.

    Reports duplicate names, joins of unknown files, and cells that read columns which are not
    joined.
    """
    seen: set[str] = set()
    for file, place in files:
        if seen & (own := {comparable_name(one) for one in (file.name, *file.names)}):
            place.at("name").wrong(
                f"is {file.name!r}, as of a file before. Put all that it gives under one [[file]]."
            )
        seen |= own
        for number, join in enumerate(file.joins):
            if join.file not in names:
                place.at("join", number, "file").wrong(
                    f"is {join.file!r}, which is no [[file]] here: {suggest(join.file, names)}"
                )
        _check_columns(file, names, place)


def _check_columns(file: File, names: list[str], place: DocumentLocation) -> None:
    joined = {f"{join.file}.{column}" for join in file.joins for column in join.columns}
    for rows, here in _rows_in(file, place):
        for column in rows.reads:
            other, dot, _ = column.partition(".")
            if dot and other in names and column not in joined:
                here.wrong(
                    f"reads {column!r}, and no [[file.join]] of {file.name!r} brings it. "
                    "Add it to the `columns` of a join."
                )


def _rows_in(file: File, place: DocumentLocation) -> Iterator[tuple[Rows, DocumentLocation]]:
    """The rows of a file with their locations, which are numbered for each entity."""
    counts = Counter[str]()
    for rows in file.gives:
        yield rows, place.at(rows.entity, counts[rows.entity])
        counts[rows.entity] += 1


def check_keys(files: Files, top: DocumentLocation) -> None:
    """Check that rows have the columns of their id, and entities every required column."""
    present: dict[str, set[str]] = {}
    for file, place in files:
        for rows, here in _rows_in(file, place):
            present.setdefault(rows.entity, set()).update(rows.columns)
            for name in _missing_keys(rows):
                here.wrong(
                    f"lacks `{name}`, without which it is not known which record is meant. Add it."
                )
    for entity, columns in present.items():
        filled = {
            "sourcedId",
            *ADDED.get(entity, ()),
            *ID_COLUMNS.get(entity, ("", ()))[1],
            *columns,
        }
        for column in ENTITIES[entity].current:
            if column.required and column.name not in filled:
                top.wrong(
                    f"gives {entity} without `{column.name}`, which each of them needs. "
                    "Add it to their rows."
                )


def _missing_keys(rows: Rows) -> Iterator[str]:
    """The missing columns of those that identify a record: its id, or what its id is made from."""
    keys: tuple[str, ...] = ("sourcedId",)
    if rows.entity in ID_COLUMNS and "sourcedId" not in rows.columns:
        keys = ID_COLUMNS[rows.entity][1]
    return (name for name in keys if name not in rows.columns)


def check_column_names(layout: Layout, tables: list[dict[str, Any]], files: Files) -> None:
    """Check the names of columns.

    Reports names that are patterns, and columns in `optional` and `aliases` that nothing reads.
    """
    for (file, place), table in zip(files, tables, strict=True):
        read = layout.columns_of(file)
        for name in filter(PATTERN.fullmatch, read):
            place.wrong(
                f"reads a column {name!r}, which stands for several. "
                "Give it another name in the export."
            )
        for key in ("optional", "aliases"):
            for name in as_list(table.get(key, [])):
                if name not in read:
                    place.at(key).wrong(
                        f"names {name!r}, which nothing reads of {file.name!r}: "
                        f"{suggest(name, read)}"
                    )


# Functions whose arguments are cells of the same column.
WITHIN = ("first", "given")


def check_words(files: list[Any], place: DocumentLocation) -> None:
    """Check constants, and the meanings of values, against the vocabularies of the standard."""
    for number, file in enumerate(files):
        for entity in ENTITIES if isinstance(file, dict) else ():
            rows = file.get(entity, [])
            for position, one in enumerate(rows) if isinstance(rows, list) else [(None, rows)]:
                _check_rows(
                    one, entity, place.at(number, entity, *([] if position is None else [position]))
                )


def _check_rows(rows: Any, entity: str, place: DocumentLocation) -> None:
    for column in ENTITIES[entity].current if isinstance(rows, dict) else ():
        if column.values and column.name in rows:
            _check_cell(rows[column.name], column, place.at(column.name))


def _check_cell(cell: Any, column: Column, place: DocumentLocation) -> None:
    if not isinstance(cell, dict):
        return
    _check_word(cell.get("constant"), column, place.at("constant"))
    meanings = cell.get("words")
    for key, word in meanings.items() if isinstance(meanings, dict) else ():
        _check_word(word, column, place.at("words", key))
    for key in WITHIN:
        inner = cell.get(key)
        for one in inner if isinstance(inner, list) else [inner]:
            _check_cell(one, column, place.at(key))


def _check_word(word: Any, column: Column, place: DocumentLocation) -> None:
    extended = column.extensible and str(word).startswith("ext:")
    if isinstance(word, str) and word not in column.values and not extended:
        place.wrong(
            f"is {word!r}, which OneRoster does not know as {column.name}: "
            f"{suggest(word, column.values)}"
        )
