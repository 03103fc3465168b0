"""The ledger's rows as lines of text, and what a command changed in them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from tests.golden.text import escaped

Rows = Counter[str]


def rows(database: Path) -> Rows:
    """Read every row of every table, each as a line: `table | column=value | ...`, without the columns that are null."""
    if not database.exists():
        return Rows()
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return Rows(line for table in tables for line in _lines(connection, table))


def _lines(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    for row in connection.execute(f'SELECT * FROM "{table}"'):
        cells = (
            f"{name}={escaped(str(row[name]))}"
            for name in row.keys()  # noqa: SIM118 - a row is no dictionary: its values come of iterating over it
            if row[name] is not None
        )
        yield " | ".join([table, *cells])


def changes(before: Rows, after: Rows, mask: Callable[[str], str]) -> list[str]:
    """List the rows that were removed (`-`) and added (`+`), masked, and then sorted by table and key; a changed row is both."""
    removed, added = before - after, after - before
    signed = [
        *((mask(line), "-") for line in sorted(removed.elements())),
        *((mask(line), "+") for line in sorted(added.elements())),
    ]
    return [f"{sign} {line}" for line, sign in sorted(signed, key=_place)]


def _place(signed: tuple[str, str]) -> tuple[str, str, bool, str]:
    """Put the old row before the new one: both have the same key."""
    line, sign = signed
    table, *cells = line.split(" | ")
    keys = [
        cell
        for cell in cells
        if cell.partition("=")[0] in ("id", "feed_id", "entity", "sourced_id", "plan", "digest")
    ]
    return table, " | ".join(keys), sign == "+", line
