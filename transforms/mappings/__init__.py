"""A mapping file, as TOML gives it -> the layout of a district whose export fits none.

    [layout]                      what holds for all: code, title, date_order, snapshot, district, ...
    [[file]]                      one file of the drop: name, names, needed, optional, ignored, aliases
    [[file.users]]                what its rows say of an entity: a cell for each column, and where, given, derived, ...
    [[file.join]]                 columns of another file: file, on, key, columns, all_of_them

A cell is the name of a column in quotes, or a word of `transforms.layouts.expressions` in braces: `{constant = "student"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from transforms.layouts.layout import File, Layout
from transforms.layouts.options import DateOrder
from transforms.mappings.check import check_files, check_keys, check_named, check_words
from transforms.mappings.problems import DocumentLocation, MappingProblem, line_of, meant, texts
from transforms.mappings.tables import OPTIONAL, Reader, fields_of, file_of, is_table, read
from transforms.sources import SOURCES

__all__ = ["Mapped", "Problem", "line_of", "mapped"]

LAYOUT, FILE, ORDER = "layout", "file", "date_order"
FIELDS = ("code", "title", "snapshot", "district", "roles_from_enrollments", "escape")


@dataclass(frozen=True)
class Mapped:
    """The layout that a mapping file describes, None if anything is wrong; and what is wrong."""

    layout: Layout | None
    problems: tuple[MappingProblem, ...] = ()


def mapped(document: Mapping[str, Any]) -> Mapped:
    """Read a mapping file; everything that is wrong in it is told at once."""
    top = DocumentLocation()
    for key in document:
        if key not in (LAYOUT, FILE):
            top.at(key).wrong(f"is no table of a mapping file: {meant(key, (LAYOUT, FILE))}")
    said, reader = _layout(document.get(LAYOUT), top)
    tables = document.get(FILE)
    if not isinstance(tables, list) or not tables:
        top.wrong("describes no files. Add a [[file]] with a `name` for each.")
        tables = []
    files = [
        (file_of(table, top.at(FILE, number), reader), top.at(FILE, number))
        for number, table in enumerate(tables)
    ]
    check_words(tables, top.at(FILE))
    found = [(file, place) for file, place in files if file is not None]
    check_files(found, [_name(table) for table in tables])
    if said is None or top.problems:
        return Mapped(None, tuple(dict.fromkeys(top.problems)))
    layout = Layout(files=tuple(file for file, _ in found), **said)
    layout = replace(
        layout,
        files=tuple(
            _requiring(layout, file, table) for (file, _), table in zip(found, tables, strict=True)
        ),
    )
    check_keys(found, top)
    check_named(layout, tables, found)
    return Mapped(None if top.problems else layout, tuple(dict.fromkeys(top.problems)))


def _layout(table: Any, top: DocumentLocation) -> tuple[dict[str, Any] | None, Reader]:
    """Read `[layout]`, and the date order that it sets for all dates."""
    place = top.at(LAYOUT)
    if table is None:
        top.wrong("lacks [layout]. Add it, with `code` and `title`.")
        return None, Reader("ymd")
    if not is_table(table, place):
        return None, Reader("ymd")
    if table.get("code") in SOURCES:
        place.at("code").wrong(
            f"is {table['code']!r}, which is the code of another layout. Give yours its own."
        )
    order = read(table[ORDER], DateOrder, place.at(ORDER), Reader()) if ORDER in table else ""
    # What is wrong with the order itself is told once, and not once more of each date.
    return fields_of(Layout, FIELDS, table, place, Reader(), [*FIELDS, ORDER]), Reader(
        "ymd" if order is None else order
    )


def _name(table: Any) -> str:
    name = table.get("name") if isinstance(table, dict) else None
    return name if isinstance(name, str) else ""


def _requiring(layout: Layout, file: File, table: dict[str, Any]) -> File:
    """Require all columns that are read of a file, for itself and for others, but the optional ones."""
    optional = texts(table.get(OPTIONAL, []))
    return replace(
        file, required=tuple(name for name in layout.columns_of(file) if name not in optional)
    )
