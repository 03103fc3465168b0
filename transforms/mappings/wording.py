"""Words that a mapping says are in the drop's place: constants, and what values of a table mean, held against the standard."""

from __future__ import annotations

from typing import Any

from transforms.mappings.problems import Place, meant
from transforms.schemas import ENTITIES, Column

WITHIN = ("first", "given")


def check_words(files: list[Any], place: Place) -> None:
    """Note each constant, and each meaning of a value, that the standard does not know."""
    for number, file in enumerate(files):
        for entity in ENTITIES if isinstance(file, dict) else ():
            rows = file.get(entity, [])
            for position, one in enumerate(rows) if isinstance(rows, list) else [(None, rows)]:
                _check_rows(one, entity, place.at(number, entity, *([] if position is None else [position])))


def _check_rows(rows: Any, entity: str, place: Place) -> None:
    for column in ENTITIES[entity].current if isinstance(rows, dict) else ():
        if column.values and column.name in rows:
            _check_cell(rows[column.name], column, place.at(column.name))


def _check_cell(cell: Any, column: Column, place: Place) -> None:
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


def _check_word(word: Any, column: Column, place: Place) -> None:
    extended = column.extensible and str(word).startswith("ext:")
    if isinstance(word, str) and word not in column.values and not extended:
        place.wrong(f"is {word!r}, which OneRoster does not know as {column.name}: {meant(word, column.values)}")
