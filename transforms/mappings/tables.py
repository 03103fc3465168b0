"""The tables of a mapping file -> the files, rows and joins of a layout, by the fields that those have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from transforms.layouts.cells import Cell, races
from transforms.layouts.layout import File, Join, Rows
from transforms.mappings.problems import Place, meant, shown
from transforms.mappings.values import Reader, cell, read
from transforms.schemas import ENTITIES

JOIN, RACES, OPTIONAL = "join", "races", "optional"
# The fields of files and rows that a mapping sets by their own names.
FILE = ("name", "names", "needed", "ignored", "aliases")
ROWS = ("where", "given", "derived", "repeats", "each", "presumed")


def file_of(table: Any, place: Place, reader: Reader) -> File | None:
    """Read a `[[file]]` with the rows and joins in it."""
    if not is_table(table, place):
        return None
    known = [*FILE, OPTIONAL, JOIN, *ENTITIES]
    found = fields_of(File, FILE, table, place, reader, known)
    optional = read(table[OPTIONAL], tuple[str, ...], place.at(OPTIONAL), reader) if OPTIONAL in table else ()
    joins = [_join(one, here, reader) for one, here in _each(table, JOIN, place)]
    rows = [_rows(name, one, here, reader) for name in ENTITIES for one, here in _each(table, name, place)]
    if found is None or optional is None or None in joins or None in rows:
        return None
    return File(gives=tuple(filter(None, rows)), joins=tuple(filter(None, joins)), **found)


def is_table(value: Any, place: Place) -> bool:
    """Whether a value is a table, which else is noted."""
    if not isinstance(value, dict):
        place.wrong(f"is {shown(value)}; expected a table.")
    return isinstance(value, dict)


def fields_of(kind: type, names: tuple[str, ...], table: dict[str, Any], place: Place, reader: Reader,
              known: list[str]) -> dict[str, Any] | None:  # fmt: skip
    """Read the fields of a dataclass that have these names; a key that is not `known`, or a field that is missing, is noted."""
    hints, before = get_type_hints(kind), len(place.problems)
    for key in table:
        if key not in known:
            place.at(key).wrong(f"is no key of this table: {meant(key, known)}")
    for one in fields(kind):
        if one.name in names and one.name not in table and one.default is MISSING and one.default_factory is MISSING:
            place.wrong(f"lacks `{one.name}`. Add it.")
    found = {name: read(table[name], hints[name], place.at(name), reader) for name in names if name in table}
    return found if len(place.problems) == before else None


def _each(table: dict[str, Any], name: str, place: Place) -> Iterator[tuple[Any, Place]]:
    """The tables of one name: a list of them, or a single one."""
    value = table.get(name, [])
    if isinstance(value, list):
        yield from ((one, place.at(name, number)) for number, one in enumerate(value))
    else:
        yield value, place.at(name)


def _join(table: Any, place: Place, reader: Reader) -> Join | None:
    names = tuple(one.name for one in fields(Join))
    found = fields_of(Join, names, table, place, reader, list(names)) if is_table(table, place) else None
    return None if found is None else Join(**found)


def _rows(entity: str, table: Any, place: Place, reader: Reader) -> Rows | None:
    """Read what rows of a file say of one entity: settings of `Rows`, and a cell for each column."""
    if not is_table(table, place):
        return None
    columns = {column.name for column in ENTITIES[entity].current}
    cells = {key: one for key, one in table.items() if key in columns or key.startswith("metadata.")}
    more = _races(table, place, reader) if entity == "demographics" and RACES in table else {}
    known = [*ROWS, *cells, *columns, *([RACES] if entity == "demographics" else [])]
    settings = {key: one for key, one in table.items() if key not in cells}
    found = _settings(settings, place, reader, known)
    read_cells = {key: cell(one, place.at(key), reader) for key, one in cells.items()}
    if found is None or more is None or None in read_cells.values():
        return None
    return Rows(entity, {**{key: one for key, one in read_cells.items() if one}, **more}, **found)


def _settings(table: dict[str, Any], place: Place, reader: Reader, known: list[str]) -> dict[str, Any] | None:
    where = cell(table["where"], place.at("where"), reader.of_conditions) if "where" in table else None
    others = {key: one for key, one in table.items() if key != "where"}
    found = fields_of(Rows, ROWS, others, place, reader, known)
    return None if found is None or ("where" in table and where is None) else {**found, "where": where}


def _races(table: dict[str, Any], place: Place, reader: Reader) -> dict[str, Cell] | None:
    """The columns of demographics that one column of races fills."""
    found = cell(table[RACES], place.at(RACES), reader)
    return None if found is None else races(found)
