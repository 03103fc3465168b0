"""A ledger kept in a SQLite file: the only module here that knows SQLite.

Rows are written by Python's own SQLite and read in bulk by the one inside ADBC, several times as
fast. Two SQLites in one process must never have one file open at once: closing a file drops the locks
that the process holds on it, and the one that believes itself alone deletes the journal in which the
other has just committed (sqlite.org/howtocorrupt.html, 2.2.1). So there is one `Database` for a file in
a process, and it closes the one before it opens the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock, RLock
from typing import Any
from weakref import WeakValueDictionary

import polars as pl
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_sqlite import StatementOptions, connect
from sqlalchemy import URL, Connection, Engine, Select, create_engine, event

from connectors.ledger.errors import explained
from connectors.ledger.private import make_folder

WAIT_SECONDS = 60
# Rows that ADBC reads at a time. It takes a column's type from the first batch.
ROWS = 65_536
# FULL and fullfsync (macOS): a commit survives power loss. The cache (KiB) and the pages between
# checkpoints keep ids in random order from rewriting the file again and again.
PRAGMAS = (
    "synchronous = FULL",
    "fullfsync = 1",
    "cache_size = -32768",
    "wal_autocheckpoint = 4000",
)

_OPEN: WeakValueDictionary[Path, Database] = WeakValueDictionary()
_OPENING = Lock()


class Database:
    """One ledger's file in this process; threads take turns. Make it with `at`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = RLock()
        self._engine = _engine(path)

    @classmethod
    def at(cls, path: Path) -> Database:
        """Give the database of a file, the same one to all who ask."""
        with _OPENING:
            return _OPEN.get(path.resolve()) or _OPEN.setdefault(path.resolve(), cls(path.resolve()))

    def set_up(self) -> None:
        """Let others read while one writes (WAL); the file keeps that."""
        with self._turn, explained(self.path), closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction, committed to the disk at the end, or not at all."""
        with self._turn, explained(self.path), self._engine.connect() as connection:
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the ledger."""
        with self._turn, explained(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    def bulk(self, query: Select[Any]) -> pl.DataFrame:
        """Read many rows at once; without rows the columns have no meaningful type."""
        sql = str(query.compile(dialect=self._engine.dialect, compile_kwargs={"literal_binds": True}))
        with self._turn, explained(self.path):
            self._engine.dispose()
            # ADBC's own interface: its DB-API would import pyarrow, which takes longer than reading a school's records.
            with connect(str(self.path)) as database, AdbcConnection(database) as connection, AdbcStatement(connection) as statement:  # fmt: skip
                statement.set_sql_query(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
                statement.execute_update()
                statement.set_options(**{StatementOptions.BATCH_ROWS.value: str(ROWS)})
                statement.set_sql_query(sql)
                stream, _ = statement.execute_query()
                return pl.DataFrame(stream)

    def close(self) -> None:
        """Close the file; whoever else uses it opens it again."""
        with self._turn:
            self._engine.dispose()


def make_file(path: Path) -> None:
    """Make the file and its folder if they are not there, for their owner only.

    A file that is there is not opened: closing it would drop the locks that SQLite holds on it.
    """
    with _OPENING, explained(path):
        make_folder(path.parent)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)


def _engine(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    options = {"timeout": WAIT_SECONDS, "isolation_level": None, "check_same_thread": False}
    engine = create_engine(url, connect_args=options, pool_size=1, max_overflow=0, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine
