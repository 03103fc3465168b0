"""A ledger on a PostgreSQL server, which several machines share.

No other module contains anything specific to this server, except `records` and `newest_runs` for
their statements. Everything here works through a pooler that hands out the server's connections by
transaction: settings are made in each transaction, nothing is prepared, and a lock belongs to a
transaction that stays open. A run has two connections: that of its lock, and another one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import RLock
from typing import Any

import polars as pl
import psycopg
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Select,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connectors.ledger.server_locks import ServerLocks, taken_among
from connectors.ledger.tables import (
    TABLES,
    LedgerError,
    LedgerNotReady,
    LedgerUnreachable,
    Types,
    as_ledger_error,
)

# A connection to a server that is silent for a minute counts as lost.
CONNECT = {
    "connect_timeout": 10,  # seconds, as the next two
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 4,
    "tcp_user_timeout": 60_000,  # milliseconds
    "application_name": "roster",
    "client_encoding": "utf8",
    # Behind a pooler, the next statement may reach another connection of the server.
    "prepare_threshold": None,
}
# What each transaction sets for itself. A commit survives power loss, whatever the server's own
# setting. No statement waits for a lock longer than a minute. Nothing else ends a statement, nor a
# transaction, because one holds the lock of a run. If a machine fails, the server notices within a
# minute, and releases its locks.
SETTINGS = {
    "synchronous_commit": "on",
    "lock_timeout": "60s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "4",
}
# A setting that servers have since a version.
NEWER_SETTING, NEWER_VERSION = {"transaction_timeout": "0"}, (17,)
# Rows that are read as one array; a server allows a gigabyte for one value.
AT_ONCE = 500_000
# The number of the lock under which tables are made.
MAKING = int.from_bytes(b"roster", "big")
# PostGIS, for example, keeps a table of its own in the schema where it is installed.
TABLE_NAMES = text("""SELECT relname FROM pg_class
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    AND relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
    ORDER BY relname""")
INDEX_NAMES = text("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()")
AGAIN = "Run again: what was recorded before is safe."

# By a word of the message of the server or the driver; the first that fits counts.
NEXT_STEPS = {
    "does not support SSL": (
        "Make it accept encrypted connections (ssl = on). If nobody can intercept the "
        "connection, write sslmode=disable after the ? in its address instead."
    ),
    "statement pooling": "Let the connection pooler in between pool by transaction or by session "
    "(PgBouncer: pool_mode), or name the server itself in the address, and run again.",
    "query_wait_timeout": "Let the connection pooler in between have more connections of the "
    "server (PgBouncer: default_pool_size): each run keeps two. Then run again.",
    "permission denied": "Let its user make and write tables there "
    "(the owner of the database may), and run again.",
    'database "': "Make the database, or correct its name in its address, and run again.",
    "too many": "Wait until other runs have ended, or allow the server more connections, "
    "and run again.",
    "connection slots": "Wait until other runs have ended, or allow the server more connections, "
    "and run again.",
    "authentication failed": "Correct the user or the password in its address, and run again.",
    "no password supplied": "Put the password into its address, and run again.",
    "read-only": "Let its user write to it, and name the server that takes writes, not a copy.",
    "resolve host": "Correct the host in its address, and run again.",
    "invalid connection option": "Correct what follows the ? in its address, and run again.",
    "connection failed": "Start the server, or correct the host and port in its address, "
    "and run again.",
    "connection is bad": "Start the server, or correct the host and port in its address, "
    "and run again.",
    "lock timeout": "Another process has been writing to it for too long. "
    "Wait until it has ended, and run again.",
    "No space left": "Free some space on the server's disk, and run again; "
    "what was recorded before is safe.",
    "connection": AGAIN,
    "": "Check the server and its log, and run again; what was recorded before is safe.",
}

# SQLSTATEs of what soon passes, by their first characters (PostgreSQL 18, appendix A): connections,
# too many of them, what a server ended, and transactions in each other's way. PgBouncer has 08P01
# for everything: of a server that has died, too, and of what it never allows.
PASSING_STATES = ("08", "53300", "57P", "25P03", "25P04", "40001", "40P01")
NEVER_ALLOWED = "statement pooling"
# Words in what a server or a pooler says to a client that it does not let in now, but soon will.
PASSING_WORDS = (
    "database system is",
    "too many",
    "connection slots",
    "terminating connection",
    "cannot connect to server",
    "server login",
    "crashed",
    "timeout",
    "shut",
)
FATAL = "FATAL:"


class Postgresql:
    """One ledger's database on a server; threads take turns. `place` is how people know it."""

    other_place = (
        "another database in its address, or another schema "
        "(?options=-csearch_path%3DSCHEMA after the database)"
    )

    def __init__(self, url: URL, place: str) -> None:
        self.place = place
        self._turn = RLock()
        self._engine = _create_engine(url)
        self._locks = ServerLocks(place, _connector(self._engine))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        errors = (SQLAlchemyError, psycopg.Error)
        try:
            with as_ledger_error(self.place, errors, NEXT_STEPS, kind_of=kind_of):
                yield
        except LedgerUnreachable:
            # Whatever state its connection is in, the next attempt makes another one.
            self._engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that sees one state of the ledger."""
        with self._turn, self._explained(), self._engine.connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a connection in a transaction, committed to the disk at the end, or not at all.

        Raises `LedgerError` if a lock was lost, and another run may have held it since.
        """
        with self._turn, self._explained(), self._engine.begin() as connection:
            self._locks.check(connection)
            yield connection

    @contextmanager
    def making(self) -> Iterator[Connection]:
        """Open a connection, like `writing`, while no other process can make tables."""
        with self.writing() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": MAKING})
            yield connection

    def bulk(self, query: Select[Any], types: Types) -> pl.DataFrame:
        """Read many rows, in the order of the first column. The query must not return nulls.

        Columns are read as arrays and sorted here, which takes a fraction of the time of single
        rows sorted by the server.
        """
        part = (func.row_number().over() // AT_ONCE).label("part")
        rows = query.order_by(None).add_columns(part).subquery()
        arrays = select(*(func.array_agg(rows.c[name]) for name in types)).group_by(rows.c.part)
        with self.reading() as connection:
            parts = [pl.DataFrame(list(part), schema=types) for part in connection.execute(arrays)]
        return pl.concat([pl.DataFrame(schema=types), *parts]).sort(next(iter(types)))

    def table_names(self, connection: Connection) -> list[str]:
        """Return the names of the tables where the ledger is, without those of extensions."""
        return list(connection.execute(TABLE_NAMES).scalars())

    def index_names(self, connection: Connection) -> frozenset[str]:
        """Return the names of the indexes where the ledger is."""
        return frozenset(connection.execute(INDEX_NAMES).scalars())

    @contextmanager
    def locked(self, name: str) -> Iterator[bool]:
        """Try to hold a lock while the body runs; yield whether it was free."""
        number = self._numbers([name])[name]
        with self.writing():  # takes back what was lost
            taken = self._locks.take(number)
        try:
            yield taken
        finally:
            if taken:
                self._locks.release(number)

    def retake(self, name: str, is_ours: Callable[[Connection], bool]) -> None:
        """From now on, take a lock back that was lost, if `is_ours`: nobody else had it since."""
        self._locks.retake(self._numbers([name])[name], is_ours)

    def confirm_locks(self) -> None:
        """Take back what was lost; raise `LedgerError` if another run may have held it since."""
        if not self._locks.are_held():
            with self.writing():
                pass

    def locked_among(self, names: Collection[str]) -> frozenset[str]:
        """Return which of some locks anybody holds now."""
        numbers = self._numbers(names)
        with self.reading() as connection:
            taken = taken_among(connection, numbers.values())
        return frozenset(name for name, number in numbers.items() if number in taken)

    def compact(self) -> None:
        """Let the server remove dead rows. Its backups and its write-ahead log are not ours."""
        with self._turn, self._explained(), self._engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in TABLES.sorted_tables:
                alone.execute(text(f"VACUUM {table.name}"))

    def close(self) -> None:
        """Close the connections. The next use of the ledger connects again."""
        self._engine.dispose()

    def _numbers(self, names: Collection[str]) -> dict[str, int]:
        """Return the numbers of some locks.

        A lock is valid for the whole database, which may hold several ledgers, each in a schema.
        """
        with self.reading() as connection:
            schema = connection.execute(text("SELECT current_schema()")).scalar()
        return {name: _number(f"{schema} {name}") for name in names}


def _number(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)


def kind_of(error: Exception) -> type[LedgerError]:
    """Return what became of a ledger's database, by the error of the driver."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, psycopg.Error):
        return LedgerError
    state, message = original.sqlstate or "", str(original)
    if state:
        passes = state.startswith(PASSING_STATES) and NEVER_ALLOWED not in message
        return LedgerNotReady if passes else LedgerError
    if FATAL in message:
        passes = any(word in message for word in PASSING_WORDS)
        return LedgerNotReady if passes else LedgerError
    # PgBouncer may answer twice when a server dies, which the driver calls an internal error.
    away = isinstance(original, psycopg.OperationalError | psycopg.InternalError)
    return LedgerUnreachable if away else LedgerError


def _settings(newer: bool) -> str:
    settings = SETTINGS | (NEWER_SETTING if newer else {})
    calls = (f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    return f"SELECT {', '.join(calls)}"


def _create_engine(url: URL) -> Engine:
    # One connection for all threads; that of the locks is not of the pool.
    engine = create_engine(
        url,
        connect_args=CONNECT,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        use_native_hstore=False,
    )

    @event.listens_for(engine, "begin")
    def _set_up(connection: Connection) -> None:
        version = connection.dialect.server_version_info or (0,)
        connection.exec_driver_sql(_settings(version >= NEWER_VERSION))

    return engine


def _connector(engine: Engine) -> Callable[[], psycopg.Connection]:
    """Return a function that connects apart from the engine's pool, and begins a transaction."""

    def connect() -> psycopg.Connection:
        arguments, options = engine.dialect.create_connect_args(engine.url)
        connection = psycopg.connect(*arguments, **{**options, **CONNECT})
        connection.execute(_settings(connection.info.server_version >= NEWER_VERSION[0] * 10_000))
        return connection

    return connect
