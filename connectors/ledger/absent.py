"""A ledger that is not there: read, it knows nothing; written, it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import polars as pl
from sqlalchemy import Connection, Select, create_engine, insert
from sqlalchemy.pool import StaticPool

from connectors.ledger.errors import LedgerError
from connectors.ledger.tables import LEDGER, TABLES, VERSION


class Absent:
    """Stands in for the database at a place where there is none; its tables are empty, and in memory."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        with self._engine.begin() as connection:
            TABLES.create_all(connection)
            connection.execute(insert(LEDGER).values(version=VERSION))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that finds nothing."""
        with self._engine.begin() as connection:
            yield connection

    def writing(self) -> NoReturn:
        """Refuse."""
        expected = f"a ledger of version {VERSION}"
        raise LedgerError(self.place, "no ledger", expected, "Open it to write, which makes it.")

    def making(self) -> NoReturn:
        """Refuse."""
        self.writing()

    def locked(self, _name: str) -> NoReturn:
        """Refuse: whoever takes a lock is about to write."""
        self.writing()

    def is_locked(self, _name: str) -> bool:
        """Nobody has a lock."""
        return False

    def bulk(self, _query: Select[Any], types: dict[str, type[pl.DataType]]) -> pl.DataFrame:
        """There are no rows."""
        return pl.DataFrame(schema=types)

    def compact(self) -> NoReturn:
        """Refuse."""
        self.writing()

    def close(self) -> None:
        """Let go of the memory."""
        self._engine.dispose()
