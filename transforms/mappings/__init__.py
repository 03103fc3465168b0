"""Convert a mapping file, as parsed from TOML, to a layout.

A district writes a mapping file if no known layout fits its export.

    [layout]          for all files: code, title, date_order, snapshot, district, ...
    [[file]]          one file of the drop: name, names, needed, optional, ignored, aliases
    [[file.users]]    one entity that its rows describe: a cell for each column, and
                      where, given, derived, ...
    [[file.join]]     columns of another file: file, on, key, columns, all_of_them

A cell is the name of a column in quotes, or a function of `transforms.layouts.expressions` in
braces: `{constant = "student"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from transforms.layouts.layout import File, Layout
from transforms.layouts.options import DateOrder
from transforms.mappings.check import check_column_names, check_files, check_keys, check_words
from transforms.mappings.near_standard import read_near_standard
from transforms.mappings.problems import DocumentLocation, MappingProblem, as_list, line_of, suggest
from transforms.mappings.tables import (
    OPTIONAL,
    TableReader,
    is_table,
    read_fields,
    read_file,
    read_value,
)
from transforms.sources import SOURCES

__all__ = ["MappingResult", "MappingProblem", "line_of", "read_mapping"]

LAYOUT, FILE, ORDER = "layout", "file", "date_order"
FIELDS = ("code", "title", "base", "snapshot", "district", "roles_from_enrollments", "escape")


@dataclass(frozen=True)
class MappingResult:
    """The result of reading a mapping file."""

    layout: Layout | None  # None if there are problems
    problems: tuple[MappingProblem, ...] = ()


def read_mapping(document: Mapping[str, Any]) -> MappingResult:
    """Read a mapping file, and collect all of its problems."""
    top = DocumentLocation()
    for key in document:
        if key not in (LAYOUT, FILE):
            top.at(key).wrong(f"is not a table of a mapping file: {suggest(key, (LAYOUT, FILE))}")
    settings, reader = _layout_settings(document.get(LAYOUT), top)
    tables = document.get(FILE)
    if not isinstance(tables, list) or not tables:
        top.wrong("describes no files. Add a [[file]] with a `name` for each.")
        tables = []
    if settings and settings.get("base"):
        near = read_near_standard(document[LAYOUT], tables, top, top.at(FILE))
        return MappingResult(near, tuple(dict.fromkeys(top.problems)))
    files = [
        (read_file(table, top.at(FILE, number), reader), top.at(FILE, number))
        for number, table in enumerate(tables)
    ]
    check_words(tables, top.at(FILE))
    readable = [(file, place) for file, place in files if file is not None]
    check_files(readable, [_name(table) for table in tables])
    if settings is None or top.problems:
        return MappingResult(None, tuple(dict.fromkeys(top.problems)))
    layout = Layout(files=tuple(file for file, _ in readable), **settings)
    layout = replace(
        layout,
        files=tuple(
            _with_required(layout, file, table)
            for (file, _), table in zip(readable, tables, strict=True)
        ),
    )
    check_keys(readable, top)
    check_column_names(layout, tables, readable)
    return MappingResult(None if top.problems else layout, tuple(dict.fromkeys(top.problems)))


def _layout_settings(
    table: Any, top: DocumentLocation
) -> tuple[dict[str, Any] | None, TableReader]:
    """Read `[layout]`: the fields of a `Layout`, and a reader with the date order for all dates."""
    place = top.at(LAYOUT)
    if table is None:
        top.wrong("lacks [layout]. Add it, with `code` and `title`.")
        return None, TableReader("ymd")
    if not is_table(table, place):
        return None, TableReader("ymd")
    if table.get("code") in SOURCES:
        place.at("code").wrong(
            f"is {table['code']!r}, which is the code of another layout. Give yours its own."
        )
    order = (
        read_value(table[ORDER], DateOrder, place.at(ORDER), TableReader())
        if ORDER in table
        else ""
    )
    # A wrong order is reported once, and not again for each date: continue with any order.
    reader = TableReader("ymd" if order is None else order)
    return read_fields(Layout, FIELDS, table, place, TableReader(), [*FIELDS, ORDER]), reader


def _name(table: Any) -> str:
    name = table.get("name") if isinstance(table, dict) else None
    return name if isinstance(name, str) else ""


def _with_required(layout: Layout, file: File, table: dict[str, Any]) -> File:
    """Require every column that is read from a file, except the optional ones."""
    optional = as_list(table.get(OPTIONAL, []))
    required = tuple(name for name in layout.columns_of(file) if name not in optional)
    return replace(file, required=required)
