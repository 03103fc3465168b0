"""A ledger kept in a SQLite file: the only module here that knows SQLite.

Rows are written by Python's own SQLite and read in bulk by the one inside ADBC, several times as
fast. Two SQLites in one process must never have one file open at once: closing a file drops the locks
that the process holds on it, and the one that believes itself alone deletes the journal in which the
other has just committed (sqlite.org/howtocorrupt.html, 2.2.1). So there is one `Sqlite` for a file in
a process, and it closes the one before it opens the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Any
from weakref import WeakValueDictionary

import polars as pl
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_manager import Error as AdbcError
from adbc_driver_sqlite import StatementOptions, connect
from sqlalchemy import URL, Connection, Engine, Select, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from connectors.ledger.file_lock import file_locked, is_file_locked
from connectors.ledger.tables import explained
from connectors.private_files import make_private_file

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
NEXT_STEPS = {
    "locked": "Another process has been writing to it for too long. Wait until it has ended, and run again.",
    "full": "Free some space on its disk, and run again; what was recorded before is safe.",
    "readonly": "Let this user write to it and to its folder, and run again.",
    "not a database": "It is damaged, or another program's file. Restore it from a copy, or use another state folder.",
    "malformed": "It is damaged. Restore it from a copy, or use another state folder.",
    "": "Check its disk, its permissions and its folder, and run again.",
}

_OPEN: WeakValueDictionary[Path, Sqlite] = WeakValueDictionary()
_OPENING = Lock()


class Sqlite:
    """One ledger's file in this process; threads take turns. Make it with `at`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = RLock()
        self._engine = _engine(path)

    @classmethod
    def at(cls, path: Path) -> Sqlite:
        """Give the database of a file, the same one to all who ask."""
        with _OPENING:
            return _OPEN.get(path.resolve()) or _OPEN.setdefault(
                path.resolve(), cls(path.resolve())
            )

    @property
    def place(self) -> str:
        """The file."""
        return str(self.path)

    @contextmanager
    def making(self) -> Iterator[Connection]:
        """Give a connection, like `writing`, which keeps others from making tables too.

        From now on others read while one writes (WAL); the file keeps that.
        """
        with (
            self._turn,
            _explained(self.path),
            closing(self._engine.raw_connection()) as connection,
        ):
            connection.cursor().execute("PRAGMA journal_mode = WAL")
        with self.writing() as writing:
            yield writing

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction, committed to the disk at the end, or not at all."""
        with self._turn, _explained(self.path), self._engine.connect() as connection:
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the ledger."""
        with (
            self._turn,
            _explained(self.path),
            self._engine.connect() as connection,
            connection.begin(),
        ):
            yield connection

    def bulk(self, query: Select[Any], types: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
        """Read many rows at once; the query answers no null."""
        sql = str(
            query.compile(dialect=self._engine.dialect, compile_kwargs={"literal_binds": True})
        )
        with self._turn, _explained(self.path):
            self._engine.dispose()
            # ADBC's own interface: its DB-API would import pyarrow, which takes longer than reading a school's records.
            with (
                connect(str(self.path)) as database,
                AdbcConnection(database) as connection,
                AdbcStatement(connection) as statement,
            ):
                statement.set_sql_query(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
                statement.execute_update()
                statement.set_options(**{StatementOptions.BATCH_ROWS.value: str(ROWS)})
                statement.set_sql_query(sql)
                stream, _ = statement.execute_query()
                frame = pl.DataFrame(stream)
        # Without rows the columns have no meaningful type.
        return frame if frame.height else pl.DataFrame(schema=types)

    @contextmanager
    def locked(self, name: str) -> Iterator[bool]:
        """Hold a lock while the body runs, and say whether it could be had."""
        with ExitStack() as stack:
            with _explained(self.path):
                taken = stack.enter_context(file_locked(self._lock(name)))
            yield taken

    def is_locked(self, name: str) -> bool:
        """Whether anybody holds a lock now."""
        with _explained(self.path):
            return is_file_locked(self._lock(name))

    def _lock(self, name: str) -> Path:
        return self.path.parent / "locks" / f"{name}.lock"

    def compact(self) -> None:
        """Write the file anew, without what was deleted, and empty its journal; once nobody else is reading."""
        with (
            self._turn,
            _explained(self.path),
            closing(self._engine.raw_connection()) as connection,
        ):
            for statement in (
                "PRAGMA wal_checkpoint(TRUNCATE)",
                "VACUUM",
                "PRAGMA wal_checkpoint(TRUNCATE)",
            ):
                connection.cursor().execute(statement)

    def close(self) -> None:
        """Close the file; whoever else uses it opens it again."""
        with self._turn:
            self._engine.dispose()


def make_file(path: Path) -> None:
    """Make the file and its folder if they are missing, for their owner only."""
    with _OPENING, _explained(path):
        make_private_file(path)


def _explained(path: Path) -> AbstractContextManager[None]:
    return explained(str(path), (SQLAlchemyError, AdbcError, OSError), NEXT_STEPS)


def _engine(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    options = {"timeout": WAIT_SECONDS, "isolation_level": None, "check_same_thread": False}
    engine = create_engine(
        url, connect_args=options, pool_size=1, max_overflow=0, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine
