"""A ledger on a PostgreSQL server, which several machines share.

No other module contains anything specific to this server, except `records` for its bulk inserts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from typing import Any

import polars as pl
import psycopg
from sqlalchemy import URL, Connection, Engine, Select, create_engine, event, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from connectors.ledger.tables import TABLES, LedgerError, Types, as_ledger_error

# A connection to a server that is silent for a minute counts as lost.
CONNECT = {
    "connect_timeout": 10,  # seconds, as the next two
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 4,
    "tcp_user_timeout": 60_000,  # milliseconds
    "application_name": "roster",
    "client_encoding": "utf8",
}
# A commit survives power loss, whatever the server's own setting. No statement waits for a lock
# longer than a minute. An idle connection stays open, because it may hold a lock. If its machine
# fails, the server notices and releases the lock within a minute.
SETTINGS = """SET synchronous_commit = on; SET lock_timeout = '60s'; SET idle_session_timeout = 0;
    SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 4"""
# Rows that are read as one array; a server allows a gigabyte for one value.
AT_ONCE = 500_000
# The number of the lock under which tables are made.
MAKING = int.from_bytes(b"roster", "big")
# The server's process that holds a lock. `pg_locks` has the 64 bits of its number in two halves.
HOLDER = text("""SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND mode = 'ExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = :number""")
AGAIN = "Run again: what was recorded before is safe."

# By a word of the message of the server or the driver; the first that fits counts.
NEXT_STEPS = {
    "does not support SSL": (
        "Make it accept encrypted connections (ssl = on). If nobody can intercept the "
        "connection, write sslmode=disable after the ? in its address instead."
    ),
    "permission denied": "Let its user make and write tables there "
    "(the owner of the database may), and run again.",
    'database "': "Make the database, or correct its name in its address, and run again.",
    "too many": "Wait until other runs have ended, or allow the server more connections, "
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


class Postgresql:
    """One ledger's database on a server. `place` is how people know it."""

    def __init__(self, url: URL, place: str) -> None:
        self.place = place
        self._engine = _create_engine(url)
        # The locks held through this object: by their number, the server's process that has them.
        self._locks: dict[int, int] = {}

    def _explained(self) -> AbstractContextManager[None]:
        return as_ledger_error(self.place, (SQLAlchemyError, psycopg.Error), NEXT_STEPS)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that sees one state of the ledger."""
        with self._explained(), self._engine.connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a connection in a transaction, committed to the disk at the end, or not at all."""
        with self._explained(), self._engine.begin() as connection:
            self._check_locks(connection)
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

    @contextmanager
    def locked(self, name: str) -> Iterator[bool]:
        """Try to hold a lock while the body runs; yield whether it was free.

        The lock has a connection of its own.
        """
        with self._explained():
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            with self._explained():
                number = _number(connection, name)
                taken = connection.execute(
                    text("SELECT pg_try_advisory_lock(:number)"), {"number": number}
                ).scalar()
                process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            if taken:
                self._locks[number] = process
            try:
                yield bool(taken)
            finally:
                if taken:
                    del self._locks[number]
                    # A lost connection no longer holds the lock.
                    with suppress(SQLAlchemyError):
                        connection.execute(
                            text("SELECT pg_advisory_unlock(:number)"), {"number": number}
                        )

    def is_locked(self, name: str) -> bool:
        """Return whether anybody holds a lock now."""
        with self.reading() as connection:
            number = _number(connection, name)
            return connection.execute(HOLDER, {"number": number}).first() is not None

    def compact(self) -> None:
        """Let the server remove dead rows. Its backups and its write-ahead log are not ours."""
        with self._explained(), self._engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in TABLES.sorted_tables:
                alone.execute(text(f"VACUUM {table.name}"))

    def close(self) -> None:
        """Close the connections. The next use of the ledger connects again."""
        self._engine.dispose()

    def _check_locks(self, connection: Connection) -> None:
        """Raise `LedgerError` if a lock was lost: another run may hold it and write."""
        for number, process in self._locks.items():
            if connection.execute(HOLDER, {"number": number}).scalar() != process:
                found = "the connection lost that kept other runs away"
                raise LedgerError(self.place, found, "it open until the run ends", AGAIN)


def _number(connection: Connection, name: str) -> int:
    # A lock is valid for the whole database, which may hold several ledgers, each in a schema.
    schema = connection.execute(text("SELECT current_schema()")).scalar()
    return int.from_bytes(sha256(f"{schema} {name}".encode()).digest()[:8], "big", signed=True)


def _create_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args=CONNECT, pool_pre_ping=True, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        connection.execute(SETTINGS)
        connection.commit()

    return engine
