"""What people and programs read of `roster get` and `roster enrollments`: a table, JSON lines or CSV."""

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
from transforms.payload import Json

Form = Literal["", "json", "csv"]
MOST_COLUMNS = 8
# What a table leaves out unless it is asked for.
DULL = ("status", "dateLastModified", "metadata")


def print_records(result: QueryResult, form: Form = "") -> None:
    """Print records in a form; without one, as a table on a terminal and as JSON lines elsewhere.

    In CSV, cells that a spreadsheet would run are quoted.
    """
    if form == "csv":
        columns = result.fields or _filled(result.records)
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
        or [name for name in _filled(result.records) if name not in DULL][:MOST_COLUMNS]
    )
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for record in result.records:
        table.add_row(*(_cell(_value(record, name)) for name in columns))
    Screen().print(table)
    print(f"{len(result.records):,} {result.collection}")


def _filled(records: Iterable[Json]) -> Sequence[str]:
    """The properties that any record has a value for, in order."""
    found = (
        name for record in records for name, value in record.items() if value not in (None, [], {})
    )
    return list(dict.fromkeys(found))


def _value(record: Json, name: str) -> Any:
    """Look up a value by its name, in which dots lead into objects."""
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _cell(value: Any) -> str:
    """Write a value shortly: references by their id, roles by their role, lists joined."""
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return str(
            value.get("sourcedId") or value.get("role") or json.dumps(value, ensure_ascii=False)
        )
    return "" if value is None else str(value)
