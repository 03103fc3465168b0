"""`roster get`: reads a collection of the API to its end, as a table for people or as JSON lines for programs."""

from __future__ import annotations

import asyncio
import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from connectors.oneroster.client import Client
from connectors.oneroster.reading import READABLE, pages
from connectors.oneroster.target import Target as Address
from flows.opening import opened
from flows.result import DONE
from flows.targets import SettingsError, choose
from transforms.payload import Json

MOST_COLUMNS = 8
UNTOLD = ("status", "dateLastModified", "metadata")


@dataclass(frozen=True)
class Question:
    """What is asked of the API; `limit` is in records, None means all."""

    collection: str
    filter: str = ""
    sort: str = "sourcedId"
    fields: str = ""
    limit: int | None = None


def ask(question: Question, target: str, state: Path, environment: Mapping[str, str], as_json: bool) -> int:
    """Answer a question; JSON lines when asked for, or when the output is not a terminal."""
    if question.collection not in READABLE:
        close = difflib.get_close_matches(question.collection, READABLE, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise SettingsError(f"There is no collection {question.collection!r}.{hint} There are: {', '.join(READABLE)}.")
    with opened(choose(target, None, environment), state) as address:
        records = asyncio.run(_answers(question, address))
    if as_json or not sys.stdout.isatty():
        for record in records:
            print(json.dumps(record, ensure_ascii=False))
    else:
        _show(records, question)
    return DONE


async def _answers(question: Question, address: Address) -> list[Json]:
    path, key = READABLE[question.collection]
    records: list[Json] = []
    async with Client(address) as client:
        async for page in pages(client, path, key, filter=question.filter, sort=question.sort, fields=question.fields):
            records += page
            if question.limit and len(records) >= question.limit:
                return records[: question.limit]
    return records


def _show(records: list[Json], question: Question) -> None:
    """Print a table of the properties that have a value, the first of them if no fields were asked for."""
    filled = list(
        dict.fromkeys(name for record in records for name, value in record.items() if value not in (None, [], {}))
    )
    asked = [name for name in question.fields.split(",") if name]
    table = Table(box=None, pad_edge=False)
    columns = asked or [name for name in filled if name not in UNTOLD][:MOST_COLUMNS]
    for name in columns:
        table.add_column(name, overflow="fold")
    for record in records:
        table.add_row(*(_cell(record.get(name)) for name in columns))
    Console().print(table)
    print(f"{len(records):,} {question.collection}")


def _cell(value: Any) -> str:
    """Write a value shortly: references by their id, roles by their role, lists joined."""
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return str(value.get("sourcedId") or value.get("role") or json.dumps(value, ensure_ascii=False))
    return "" if value is None else str(value)
