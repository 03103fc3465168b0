"""A ledger in a SQLite file.

Python's own SQLite writes rows; the SQLite inside ADBC reads many rows several times as fast. These
two libraries must never have the same file open in one process. If one closes the file, all locks
that the process holds on it are released. Another process may then delete a journal that is in use
(sqlite.org/howtocorrupt.html, 2.2.1). So a process has one `Sqlite` for each file, which closes the
file in one library before it opens the file in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Any
from weakref import WeakValueDictionary

import polars as pl
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_manager import Error as AdbcError
from adbc_driver_sqlite import StatementOptions, connect
from sqlalchemy import URL, Connection, Engine, Select, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from connectors.ledger.file_lock import is_file_locked, lock_file
from connectors.ledger.tables import Types, as_ledger_error
from connectors.private_files import make_private_file

WAIT_SECONDS = 60
# Rows that ADBC reads at a time. It infers a column's type from the first batch.
ROWS = 65_536
PRAGMAS = (
    # With these two (the second for macOS), a commit survives power loss.
    "synchronous = FULL",
    "fullfsync = 1",
    # Ids come in random order. The cache (32 MiB) and the number of pages between checkpoints
    # prevent that the same pages are written again and again.
    "cache_size = -32768",
    "wal_autocheckpoint = 4000",
)
INDEX_NAMES = text("SELECT name FROM sqlite_master WHERE type = 'index'")
# By a word of SQLite's message; the first that fits counts.
NEXT_STEPS = {
    "locked": "Another process has been writing to it for too long. "
    "Wait until it has ended, and run again.",
    "full": "Free some space on its disk, and run again; what was recorded before is safe.",
    "readonly": "Let this user write to it and to its folder, and run again.",
    "not a database": "It is damaged, or another program's file. "
    "Restore it from a copy, or use another state folder.",
    "malformed": "It is damaged. Restore it from a copy, or use another state folder.",
    "": "Check its disk, its permissions and its folder, and run again.",
}

_OPEN: WeakValueDictionary[Path, Sqlite] = WeakValueDictionary()
_OPENING = Lock()


class Sqlite:
    """One ledger's file in this process; threads take turns. Create it with `at`."""

    other_place = "another state folder"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = RLock()
        self._engine = _create_engine(path)

    @classmethod
    def at(cls, path: Path) -> Sqlite:
        """Return the database of a file, the same object for all callers."""
        with _OPENING:
            return _OPEN.get(path.resolve()) or _OPEN.setdefault(
                path.resolve(), cls(path.resolve())
            )

    @property
    def place(self) -> str:
        """The path of the file."""
        return str(self.path)

    @contextmanager
    def making(self) -> Iterator[Connection]:
        """Open a connection, like `writing`, while no other process can make tables.

        Also turns on WAL, so that others can read during a write. The file stores this setting.
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
        """Open a connection in a transaction, committed to the disk at the end, or not at all."""
        with self._turn, _explained(self.path), self._engine.connect() as connection:
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that sees one state of the ledger."""
        with (
            self._turn,
            _explained(self.path),
            self._engine.connect() as connection,
            connection.begin(),
        ):
            yield connection

    def bulk(self, query: Select[Any], types: Types) -> pl.DataFrame:
        """Read many rows. The query must not return nulls."""
        sql = str(
            query.compile(dialect=self._engine.dialect, compile_kwargs={"literal_binds": True})
        )
        with self._turn, _explained(self.path):
            self._engine.dispose()
            # The DB-API of ADBC would import pyarrow, which takes longer than reading a school.
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
        # Without rows, ADBC's column types mean nothing.
        return frame if frame.height else pl.DataFrame(schema=types)

    def table_names(self, connection: Connection) -> list[str]:
        """Return the names of the tables of the file."""
        return inspect(connection).get_table_names()

    def index_names(self, connection: Connection) -> frozenset[str]:
        """Return the names of the indexes of the file."""
        return frozenset(connection.execute(INDEX_NAMES).scalars())

    @contextmanager
    def locked(self, name: str) -> Iterator[bool]:
        """Try to hold a lock while the body runs; yield whether it was free."""
        with ExitStack() as stack:
            with _explained(self.path):
                taken = stack.enter_context(lock_file(self._lock_file(name)))
            yield taken

    def retake(self, _name: str, _is_ours: Callable[[Connection], bool]) -> None:
        """Do nothing: a locked file stays locked as long as its process lives."""

    def confirm_locks(self) -> None:
        """Do nothing, for the same reason."""

    def locked_among(self, names: Collection[str]) -> frozenset[str]:
        """Return which of some locks anybody holds now."""
        with _explained(self.path):
            return frozenset(name for name in names if is_file_locked(self._lock_file(name)))

    def _lock_file(self, name: str) -> Path:
        return self.path.parent / "locks" / f"{name}.lock"

    def compact(self) -> None:
        """Rewrite the file without deleted rows, and empty its journal, once nobody else reads."""
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
        """Close the file. The next use opens it again."""
        with self._turn:
            self._engine.dispose()


def create_file(path: Path) -> None:
    """Create the file and its folder if they are missing, for their owner only."""
    with _OPENING, _explained(path):
        make_private_file(path)


def _explained(path: Path) -> AbstractContextManager[None]:
    return as_ledger_error(str(path), (SQLAlchemyError, AdbcError, OSError), NEXT_STEPS)


def _create_engine(path: Path) -> Engine:
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
