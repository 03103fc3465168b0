"""Read a mapping file of an export that is almost OneRoster: only what differs stands in it.

[layout]          code, title, and base = "oneroster"
[[file]]          a file of the standard: name, names, aliases
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from transforms.binding.names import comparable_name
from transforms.layouts.layout import File, Layout
from transforms.mappings.problems import DocumentLocation, suggest
from transforms.mappings.tables import TableReader, is_table, read_fields
from transforms.schemas import ENTITIES

KEYS = ("name", "names", "aliases")
SETTINGS = ("code", "title", "base")


def read_near_standard(
    table: dict[str, Any], tables: list[Any], top: DocumentLocation, files_at: DocumentLocation
) -> Layout | None:
    """Read `[layout]` and the files; None if there are problems."""
    place = top.at("layout")
    settings = read_fields(Layout, SETTINGS, table, place, TableReader(), [*SETTINGS])
    files = [*_files(tables, files_at)]
    if settings is None or top.problems:
        return None
    return Layout(files=tuple(files), **settings)


def _files(tables: list[Any], place: DocumentLocation) -> Iterator[File]:
    seen: set[str] = set()
    for number, table in enumerate(tables):
        here = place.at(number)
        if not is_table(table, here):
            continue
        fields = read_fields(File, KEYS, table, here, TableReader(), [*KEYS])
        if fields is None:
            continue
        file = File(**fields)
        if file.name not in ENTITIES or not ENTITIES[file.name].standard:
            names = [name for name, entity in ENTITIES.items() if entity.standard]
            here.at("name").wrong(
                f"is {file.name!r}, which is no file of OneRoster: {suggest(file.name, names)}"
            )
            continue
        _check_aliases(file, here)
        own = {comparable_name(one) for one in (file.name, *file.names)}
        if seen & own:
            here.at("name").wrong(f"is {file.name!r}, as of a file before. Join the two.")
        seen |= own
        yield file


def _check_aliases(file: File, place: DocumentLocation) -> None:
    columns = ENTITIES[file.name].by_name
    for name in file.aliases:
        if name not in columns:
            place.at("aliases", name).wrong(
                f"is no column of {file.name}.csv: {suggest(name, columns)}"
            )
