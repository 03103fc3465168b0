"""The rows of the ledger as lines of text, and how a command changed them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from tests.golden.text import escaped

Rows = Counter[str]


def rows(database: Path) -> Rows:
    """Read all rows of all tables as lines: `table | column=value | ...`, without null columns."""
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
            for name in row.keys()  # noqa: SIM118 - iterating over a row gives its values
            if row[name] is not None
        )
        yield " | ".join([table, *cells])


def changes(before: Rows, after: Rows, mask: Callable[[str], str]) -> list[str]:
    """Return the masked rows that were removed (`-`) and added (`+`), sorted by table and key.

    A changed row is both.
    """
    removed, added = before - after, after - before
    signed = [
        *((mask(line), "-") for line in sorted(removed.elements())),
        *((mask(line), "+") for line in sorted(added.elements())),
    ]
    return [f"{sign} {line}" for line, sign in sorted(signed, key=_place)]


def _place(signed: tuple[str, str]) -> tuple[str, str, bool, str]:
    """Return the sort key of a row. Of two rows with the same key, the old one comes first."""
    line, sign = signed
    table, *cells = line.split(" | ")
    keys = [
        cell
        for cell in cells
        if cell.partition("=")[0] in ("id", "feed_id", "entity", "sourced_id", "plan", "digest")
    ]
    return table, " | ".join(keys), sign == "+", line
