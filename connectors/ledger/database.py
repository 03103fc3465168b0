"""The database of a ledger: what it must be able to do, its address, its version, and copying.

`opened` chooses between a SQLite file, a PostgreSQL server, and a stand-in for a missing file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, Protocol

import polars as pl
from sqlalchemy import (
    URL,
    Connection,
    Select,
    create_engine,
    delete,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from connectors.ledger.sqlite import Sqlite, create_file
from connectors.ledger.tables import LEDGER, LOCKS, RECORDS, TABLES, VERSION, LedgerError, Types


class Database(Protocol):
    """One database that holds a ledger. Every method may raise `LedgerError`."""

    @property
    def place(self) -> str:
        """How people know it: the file, or the server and database, without user and password."""

    @property
    def other_place(self) -> str:
        """What people can use if this is the database of another program."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection that sees one state of the ledger."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Open a connection in a transaction, committed to the disk at the end, or not at all."""

    def making(self) -> AbstractContextManager[Connection]:
        """Open a connection, like `writing`, while no other process can make tables."""

    def bulk(self, query: Select[Any], /, types: Types) -> pl.DataFrame:
        """Read many rows. The query must not return nulls."""

    def table_names(self, connection: Connection, /) -> list[str]:
        """Return the names of the tables where the ledger is."""

    def index_names(self, connection: Connection, /) -> frozenset[str]:
        """Return the names of the indexes where the ledger is."""

    def locked(self, name: str, /) -> AbstractContextManager[bool]:
        """Try to hold a lock while the body runs; yield whether it was free.

        The lock ends with the process at the latest.
        """

    def retake(self, name: str, is_ours: Callable[[Connection], bool], /) -> None:
        """From now on, take a lock back that was lost, if `is_ours`: nobody else had it since."""

    def confirm_locks(self) -> None:
        """Take back what was lost; raise `LedgerError` if another run may have held it since."""

    def locked_among(self, names: Collection[str], /) -> frozenset[str]:
        """Return which of some locks anybody holds now."""

    def compact(self) -> None:
        """Overwrite what was deleted, as far as this database can."""

    def close(self) -> None:
        """Close the connections. The next use opens the database again."""


def open_database(place: Path | str, *, make: bool) -> Database:
    """Open the database in a file, or at the address of a server.

    A missing file is created if `make` is set; otherwise the database is a stand-in that is empty.
    Raises `ValueError` for an invalid address.
    """
    if isinstance(place, Path):
        if make:
            create_file(place)
        return Sqlite.at(place) if place.exists() else AbsentDatabase(str(place))
    # A ledger in a file does not need the driver, which takes a while to import.
    postgresql = import_module("connectors.ledger.postgresql")
    database: Database = postgresql.Postgresql(url_of(place), without_credentials(place))
    return database


SCHEME = "postgresql"
ADDRESS = f"{SCHEME}://USER:PASSWORD@HOST:PORT/DATABASE"
ENCRYPTED, VERIFIED = "require", "verify-full"
# With one of these in the address, encryption is not ours to choose: a service's file has its own.
SETS_ENCRYPTION = frozenset({"sslmode", "service"})


def address_fault(address: str) -> str:
    """Return what is wrong with a server's address, quoting nothing from it; blank if valid."""
    if not address.startswith(f"{SCHEME}://"):
        return f"does not begin with {SCHEME}://"
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return "cannot be read"
    if "@" in (url.host or ""):
        # The text before the last @ is a part of the password.
        return "has an @ too many: one in the password is written %40"
    return "" if url.database else "names no database"


def url_of(address: str) -> URL:
    """Return the address as SQLAlchemy's URL, with the driver.

    The connection to another machine is encrypted, and the server's certificate is checked if the
    address has `sslrootcert`. An `sslmode` in the address overrides this.

    Raises `ValueError` if the address is invalid; the message does not quote it.
    """
    if fault := address_fault(address):
        raise ValueError(f"The address of the ledger {fault}. Expected {ADDRESS}.")
    url = make_url(address).set(drivername=f"{SCHEME}+psycopg")
    if SETS_ENCRYPTION & url.query.keys() or all(map(_is_this_machine, _hosts(url))):
        return url
    return url.update_query_dict({"sslmode": VERIFIED if "sslrootcert" in url.query else ENCRYPTED})


def with_sslmode(address: str, mode: str) -> str:
    """Return the address with an `sslmode`, unless it has one."""
    url = make_url(address)
    if "sslmode" in url.query:
        return address
    return url.update_query_dict({"sslmode": mode}).render_as_string(hide_password=False)


def _hosts(url: URL) -> list[str]:
    """Return every host in an address, before its database or after it; one blank host if none."""
    query = {
        name: (value,) if isinstance(value, str) else value for name, value in url.query.items()
    }
    lists = (url.host or "", *query.get("host", ()), *query.get("hostaddr", ()))
    hosts = [host.strip() for hosts in lists for host in hosts.split(",") if host.strip()]
    return hosts or [""]


def _is_this_machine(host: str) -> bool:
    """Return whether a host is a folder of sockets or a loopback address. A port may follow."""
    name = host if host.count(":") > 1 else host.partition(":")[0]
    try:
        return (
            host.startswith(("/", "@"))
            or name == "localhost"
            or ip_address(name.strip("[]")).is_loopback
        )
    except ValueError:
        return False


def without_credentials(place: Path | str) -> str:
    """Return a place as people may see it: a path, or the host, port and database of an address."""
    if isinstance(place, Path):
        return str(place)
    url = url_of(place)
    port = f":{url.port}" if url.port else ""
    return f"{SCHEME}://{url.host or ''}{port}/{url.database}"


class AbsentDatabase:
    """Stands in for a database that does not exist, with empty tables in memory. Never writes."""

    other_place = ""

    def __init__(self, place: str) -> None:
        self.place = place
        self._engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        with self._engine.begin() as connection:
            TABLES.create_all(connection)
            connection.execute(insert(LEDGER).values(version=VERSION))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that finds nothing."""
        with self._engine.begin() as connection:
            yield connection

    def writing(self) -> NoReturn:
        """Raise `LedgerError`."""
        raise LedgerError(self.place, "no ledger", EXPECTED, "Open it to write, which makes it.")

    def making(self) -> NoReturn:
        """Raise `LedgerError`."""
        self.writing()

    def table_names(self, connection: Connection) -> list[str]:
        """Return the names of the empty tables."""
        return inspect(connection).get_table_names()

    def index_names(self, _connection: Connection) -> frozenset[str]:
        """Return none: nobody asks."""
        return frozenset()

    def locked(self, _name: str) -> NoReturn:
        """Raise `LedgerError`: a lock is only taken before writing."""
        self.writing()

    def retake(self, _name: str, _is_ours: Callable[[Connection], bool]) -> NoReturn:
        """Raise `LedgerError`: no lock was taken."""
        self.writing()

    def confirm_locks(self) -> None:
        """Do nothing: no lock was taken."""

    def locked_among(self, _names: Collection[str]) -> frozenset[str]:
        """Return none: nobody holds a lock."""
        return frozenset()

    def bulk(self, _query: Select[Any], types: Types) -> pl.DataFrame:
        """Return no rows."""
        return pl.DataFrame(schema=types)

    def compact(self) -> NoReturn:
        """Raise `LedgerError`."""
        self.writing()

    def close(self) -> None:
        """Free the memory."""
        self._engine.dispose()


EXPECTED = f"a ledger of version {VERSION}"


def version_of(database: Database) -> int:
    """Return the version of a ledger, 0 if the database is empty.

    Raises `LedgerError` if the version is unknown, or the database is not a ledger.
    """
    with database.reading() as connection:
        return _read_version(database, connection)


def make_tables(database: Database) -> None:
    """Create the tables that are missing, all or none.

    Does nothing if another process has just created them.
    """
    with database.making() as connection:
        version = _read_version(database, connection)
        if version == VERSION:
            return
        if version:
            _add_missing_columns(connection)
        TABLES.create_all(connection)
        connection.execute(delete(LEDGER))
        connection.execute(insert(LEDGER).values(version=VERSION))


def make_indexes(database: Database) -> None:
    """Create the indexes that are missing, as in a ledger of an earlier release."""
    wanted = {index.name: index for table in TABLES.sorted_tables for index in table.indexes}
    with database.reading() as connection:
        if not wanted.keys() - database.index_names(connection):
            return
    with database.making() as connection:
        for name in wanted.keys() - database.index_names(connection):
            wanted[name].create(connection)


def _add_missing_columns(connection: Connection) -> None:
    """Add the columns of `records` that a ledger of an earlier release does not have."""
    there = {column["name"] for column in inspect(connection).get_columns(RECORDS.name)}
    for column in RECORDS.columns:
        if column.name not in there:
            kind = column.type.compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {RECORDS.name} ADD COLUMN {column.name} {kind}"))


def _read_version(database: Database, connection: Connection) -> int:
    tables = database.table_names(connection)
    if not tables:
        return 0
    if LEDGER.name not in tables:
        next_step = f"It belongs to another program. Use {database.other_place}."
        raise LedgerError(
            database.place,
            f"a database with other tables ({', '.join(tables[:3])})",
            EXPECTED,
            next_step,
        )
    versions = connection.execute(select(LEDGER.c.version)).scalars().all()
    if versions not in [[version] for version in range(1, VERSION + 1)]:
        found = f"version {', '.join(map(str, versions)) or 'unknown'}"
        next_step = (
            "It was written by another release of this program. "
            f"Use that release, or {database.other_place}."
        )
        raise LedgerError(database.place, found, EXPECTED, next_step)
    return int(versions[0])


# Rows that are copied at a time.
AT_ONCE = 5_000
# The copy has a version of its own, and no run holds its feeds.
NOT_COPIED = (LEDGER, LOCKS)


def copy_tables(of: Connection, into: Connection) -> None:
    """Copy all rows into an empty ledger."""
    for table in TABLES.sorted_tables:
        if table in NOT_COPIED:
            continue
        rows = of.execution_options(yield_per=AT_ONCE).execute(select(table))
        while part := [dict(row._mapping) for row in islice(rows, AT_ONCE)]:
            into.execute(insert(table), part)
