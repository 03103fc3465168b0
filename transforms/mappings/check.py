"""What a mapping file says that cannot be meant, though each of its words can: seen over the whole of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from transforms.layouts.layout import File, Layout, Rows, plain
from transforms.layouts.normalize import KEYS
from transforms.mappings.problems import DocumentLocation, meant, texts
from transforms.schemas import ENTITIES, Column

# What expressions take for a pattern of names.
PATTERN = re.compile(r"\*|\^.*\$", re.DOTALL)
Files = list[tuple[File, DocumentLocation]]
# What is added to records that do not say it.
ADDED = {
    "users": {"enabledUser"},
    "roles": {"roleType"},
    "classes": {"classType", "termSourcedIds"},
    "academicSessions": {"startDate", "endDate", "schoolYear"},
    "enrollments": {"schoolSourcedId"},
}


def check_files(files: Files, names: list[str]) -> None:
    """Note what is wrong between files: names that are there twice, joins that lead nowhere, columns that no join brings."""
    seen: set[str] = set()
    for file, place in files:
        if seen & (own := {plain(one) for one in (file.name, *file.names)}):
            place.at("name").wrong(
                f"is {file.name!r}, as of a file before. Put all that it gives under one [[file]]."
            )
        seen |= own
        for number, join in enumerate(file.joins):
            if join.file not in names:
                place.at("join", number, "file").wrong(
                    f"is {join.file!r}, which is no [[file]] here: {meant(join.file, names)}"
                )
        _check_columns(file, names, place)


def _check_columns(file: File, names: list[str], place: DocumentLocation) -> None:
    brought = {f"{join.file}.{column}" for join in file.joins for column in join.columns}
    for one, here in _rows_in(file, place):
        for column in one.reads:
            other, dot, _ = column.partition(".")
            if dot and other in names and column not in brought:
                here.wrong(
                    f"reads {column!r}, and no [[file.join]] of {file.name!r} brings it. Add it to the `columns` of a join."
                )


def _rows_in(file: File, place: DocumentLocation) -> Iterator[tuple[Rows, DocumentLocation]]:
    """The rows of a file, each with its own place: they are numbered for each entity."""
    counts = Counter[str]()
    for one in file.gives:
        yield one, place.at(one.entity, counts[one.entity])
        counts[one.entity] += 1


def check_keys(files: Files, top: DocumentLocation) -> None:
    """Note rows without what their record is known by, and entities without a column that every record needs."""
    given: dict[str, set[str]] = {}
    for file, place in files:
        for one, here in _rows_in(file, place):
            given.setdefault(one.entity, set()).update(one.columns)
            for name in _keys_missing(one):
                here.wrong(
                    f"lacks `{name}`, without which it is not known which record is meant. Add it."
                )
    for entity, columns in given.items():
        added = {"sourcedId", *ADDED.get(entity, ()), *KEYS.get(entity, ("", ()))[1], *columns}
        for column in ENTITIES[entity].current:
            if column.required and column.name not in added:
                top.wrong(
                    f"gives {entity} without `{column.name}`, which each of them needs. Add it to their rows."
                )


def _keys_missing(one: Rows) -> Iterator[str]:
    """The columns that a record is known by: its id, or those of which its id is made."""
    made = (
        KEYS[one.entity][1]
        if one.entity in KEYS and "sourcedId" not in one.columns
        else ("sourcedId",)
    )
    return (name for name in made if name not in one.columns)


def check_named(layout: Layout, tables: list[dict[str, Any]], files: Files) -> None:
    """Note columns that are called optional, or have other spellings, and that nothing reads; and what is no name."""
    for (file, place), table in zip(files, tables, strict=True):
        read = layout.columns_of(file)
        for name in filter(PATTERN.fullmatch, read):
            place.wrong(
                f"reads a column {name!r}, which stands for several. Give it another name in the export."
            )
        for key in ("optional", "aliases"):
            for name in texts(table.get(key, [])):
                if name not in read:
                    place.at(key).wrong(
                        f"names {name!r}, which nothing reads of {file.name!r}: {meant(name, read)}"
                    )


WITHIN = ("first", "given")


def check_words(files: list[Any], place: DocumentLocation) -> None:
    """Note each constant, and each meaning of a value, that the standard does not know."""
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
            f"is {word!r}, which OneRoster does not know as {column.name}: {meant(word, column.values)}"
        )
