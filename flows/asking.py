"""`roster get` and `roster enrollments`: read the API to its end, as a table for people, JSON lines or CSV for programs."""

from __future__ import annotations

import asyncio
import csv
import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.reading import READABLE, pages
from connectors.oneroster.target import Target as Address
from flows.errors import SettingsError
from flows.feeds.targets import choose
from flows.opening import opened
from flows.rejects import harmless
from flows.result import DONE
from flows.showing import Screen, as_json
from transforms.payload import Json

Form = Literal["", "json", "csv"]
MOST_COLUMNS = 8
FIND_IDS = "Find ids with: roster get users --target ..."
UNTOLD = ("status", "dateLastModified", "metadata")


@dataclass(frozen=True)
class Question:
    """What is asked of the API; `limit` is in records, None means all."""

    collection: str
    filter: str = ""
    sort: str = "sourcedId"
    fields: str = ""
    limit: int | None = None


def ask(question: Question, target: str, state: Path, environment: Mapping[str, str], form: Form = "") -> int:
    """Answer a question: in the form asked for, else as a table on a terminal and as JSON lines elsewhere."""
    if question.collection not in READABLE:
        close = difflib.get_close_matches(question.collection, READABLE, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise SettingsError(f"There is no collection {question.collection!r}.{hint} There are: {', '.join(READABLE)}.")
    with opened(choose(target, None, environment), state) as address:
        records = asyncio.run(_answers(question, address))
    asked = [name for name in question.fields.split(",") if name]
    _tell(records, form, asked, question.collection)
    return DONE


def enrollments(student: str, target: str, state: Path, environment: Mapping[str, str], today: date, form: Form = "") -> int:  # fmt: skip
    """Say in which courses a person is, through which class, in which role, from when to when, and whether that holds."""
    with opened(choose(target, None, environment), state) as address:
        records = asyncio.run(_enrollments(student, address))
    lines = [_enrollment(record, today) for record in records]
    _tell(sorted(lines, key=lambda one: (not one["active"], str(one["course"]))), form, [], "enrollments")
    return DONE


async def _enrollments(student: str, address: Address) -> list[Json]:
    if not wire.addressable(student.strip()):
        raise SettingsError(f"{student!r} cannot be the sourcedId of a person. {FIND_IDS}")
    path, key = READABLE["enrollments"]
    async with Client(address) as client:
        request = wire.read(COLLECTIONS["users"], student)
        if wire.understood(request, await client.send(request)).kind == "missing":
            raise SettingsError(f"{client.target.host} has no user {student!r}. {FIND_IDS}")
        found = pages(client, path, key, filter=f"user.sourcedId={quoted(student)}")
        return [record async for page in found for record in page]


def _properties(fields: str) -> str:
    """The properties that the API is asked for: of `metadata.url`, all of `metadata`."""
    return ",".join(dict.fromkeys(name.partition(".")[0] for name in fields.split(",") if name))


def _at(record: Json, name: str) -> Any:
    """Give a value by its name, which dots lead into objects."""
    value: Any = record
    for one in name.split("."):
        value = value.get(one) if isinstance(value, dict) else None
    return value


def quoted(value: str) -> str:
    """Write a value for a filter; quotes in it are doubled (API reference, section 6)."""
    return "'" + value.replace("'", "''") + "'"


def _enrollment(record: Json, today: date) -> Json:
    course, group = record.get("course") or {}, record.get("class") or {}
    begin, end = (str(record.get(name) or "")[:10] for name in ("beginDate", "endDate"))
    holds = record.get("status") == "active" and (not begin or begin <= str(today)) and (not end or str(today) < end)
    return {
        "course": course.get("name") or course.get("sourcedId"),
        "courseSourcedId": course.get("sourcedId"),
        "class": group.get("name") or group.get("sourcedId"),
        "classSourcedId": group.get("sourcedId"),
        "role": record.get("role"),
        "beginDate": begin or None,
        "endDate": end or None,
        "active": holds,
        "sourcedId": record.get("sourcedId"),
    }


async def _answers(question: Question, address: Address) -> list[Json]:
    path, key = READABLE[question.collection]
    records: list[Json] = []
    async with Client(address) as client:
        async for page in pages(
            client, path, key, filter=question.filter, sort=question.sort, fields=_properties(question.fields)
        ):
            records += page
            if question.limit and len(records) >= question.limit:
                return records[: question.limit]
    return records


def _tell(records: list[Json], form: Form, asked: list[str], what: str) -> None:
    """Print records; of a CSV, cells that a spreadsheet would run are quoted."""
    if form == "csv":
        columns = asked or _filled(records)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([harmless(_cell(_at(record, name))) for name in columns] for record in records)
    elif form == "json" or not sys.stdout.isatty():
        for record in records:
            print(as_json(record))
    else:
        _show(records, asked or [name for name in _filled(records) if name not in UNTOLD][:MOST_COLUMNS], what)


def _filled(records: list[Json]) -> list[str]:
    """The properties that any record has a value for, in order."""
    return list(
        dict.fromkeys(name for record in records for name, value in record.items() if value not in (None, [], {}))
    )


def _show(records: list[Json], columns: list[str], what: str) -> None:
    """Print a table."""
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for record in records:
        table.add_row(*(_cell(_at(record, name)) for name in columns))
    Screen().print(table)
    print(f"{len(records):,} {what}")


def _cell(value: Any) -> str:
    """Write a value shortly: references by their id, roles by their role, lists joined."""
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return str(value.get("sourcedId") or value.get("role") or json.dumps(value, ensure_ascii=False))
    return "" if value is None else str(value)
