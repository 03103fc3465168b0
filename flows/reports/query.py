"""The answers of `roster get` and `roster enrollments`: as a table, JSON lines or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from rich.table import Table

from flows.query import QueryResult
from flows.reports.screen import Screen
from flows.safe_text import readable_json, spreadsheet_cell
from transforms.grammar import count_of
from transforms.payload import Json

Form = Literal["", "json", "csv"]
MOST_COLUMNS = 8
# Properties that a table leaves out unless they are named in `--fields`.
HIDDEN = ("status", "dateLastModified", "metadata")


def print_query(result: QueryResult, form: Form = "") -> None:
    """Print records in a form.

    Without one: as a table on a terminal, as JSON lines anywhere else. In CSV, cells that a
    spreadsheet would run as a formula are quoted.
    """
    if form == "csv":
        columns = result.fields or _filled_properties(result.records)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        for record in result.records:
            writer.writerow([spreadsheet_cell(_cell(_value(record, name))) for name in columns])
    elif form == "json" or not sys.stdout.isatty():
        for record in result.records:
            print(readable_json(record))
    else:
        _print_table(result)


def _print_table(result: QueryResult) -> None:
    columns = (
        result.fields
        or [name for name in _filled_properties(result.records) if name not in HIDDEN][
            :MOST_COLUMNS
        ]
    )
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for record in result.records:
        table.add_row(*(_cell(_value(record, name)) for name in columns))
    Screen().print(table)
    print(count_of(len(result.records), result.collection))


def _filled_properties(records: Iterable[Json]) -> Sequence[str]:
    """Return the properties for which any record has a value, in order."""
    names = (
        name for record in records for name, value in record.items() if value not in (None, [], {})
    )
    return list(dict.fromkeys(names))


def _value(record: Json, name: str) -> Any:
    """Look up a value by its name; a dot leads into an object, as in `school.sourcedId`."""
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _cell(value: Any) -> str:
    """Write a value in short form: a reference as its id, a role as its name, a list joined."""
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return str(
            value.get("sourcedId") or value.get("role") or json.dumps(value, ensure_ascii=False)
        )
    return "" if value is None else str(value)
