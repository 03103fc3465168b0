"""What the ledger asks of a database, whichever it is, and the choice between the two."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from sqlalchemy import Connection, Select

from connectors.ledger.absent import Absent
from connectors.ledger.sqlite import Sqlite, make_file

Types = dict[str, type[pl.DataType]]


class Database(Protocol):
    """One database that holds a ledger. Everything raises `LedgerError`; `place` is how people know it."""

    @property
    def place(self) -> str:
        """The file, or the server and its database, without user and password."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one state of the ledger."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection in a transaction, committed to the disk at the end, or not at all."""

    def making(self) -> AbstractContextManager[Connection]:
        """Give a connection, like `writing`, while no other process can make tables."""

    def bulk(self, query: Select[Any], /, types: Types) -> pl.DataFrame:
        """Read many rows at once; the query answers no null."""

    def locked(self, name: str, /) -> AbstractContextManager[bool]:
        """Hold a lock while the body runs, and say whether it could be had; it ends with the process."""

    def is_locked(self, name: str, /) -> bool:
        """Whether anybody holds a lock now."""

    def compact(self) -> None:
        """Overwrite what was deleted, as far as this database can."""

    def close(self) -> None:
        """Let go of the database; whoever goes on using it opens it again."""


def opened(place: Path | str, *, make: bool) -> Database:
    """Give the database at a place; a stand-in if its file is not there and is not to be made."""
    if isinstance(place, Path):
        if make:
            make_file(place)
        return Sqlite.at(place) if place.exists() else Absent(str(place))
    # The driver takes a while to import, and a ledger in a file does not need it.
    database: Database = import_module("connectors.ledger.postgresql").Postgresql(place)
    return database
