"""What the ledger asks of a database, whichever it is, and the choice between the two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

from connectors.ledger.sqlite import Sqlite, make_file
from connectors.ledger.tables import LEDGER, LOCKS, TABLES, VERSION, LedgerError

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


SCHEME = "postgresql"
ADDRESS = f"{SCHEME}://USER:PASSWORD@HOST:PORT/DATABASE"
ENCRYPTED, CHECKED = "require", "verify-full"
# A service's file says by itself how its server is reached.
SAID = frozenset({"sslmode", "service"})


def fault_of(address: str) -> str:
    """What is wrong with the address of a ledger on a server, without any of it; blank if it can be meant."""
    if not address.startswith(f"{SCHEME}://"):
        return f"does not begin with {SCHEME}://"
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return "cannot be read"
    if "@" in (url.host or ""):
        # What stands before the last @ is a part of the password.
        return "has an @ too many: one in the password is written %40"
    return "" if url.database else "names no database"


def url_of(address: str) -> URL:
    """The address as SQLAlchemy has it, with the driver; raises `ValueError` without a word of the address.

    The way to another machine is encrypted (and its certificate checked, where the address names the authority that is
    trusted), unless the address says otherwise by `sslmode`.
    """
    if fault := fault_of(address):
        raise ValueError(f"The address of the ledger {fault}. Expected {ADDRESS}.")
    url = make_url(address).set(drivername=f"{SCHEME}+psycopg")
    if SAID & url.query.keys() or all(map(_is_here, _hosts(url))):
        return url
    return url.update_query_dict({"sslmode": CHECKED if "sslrootcert" in url.query else ENCRYPTED})


def with_mode(address: str, mode: str) -> str:
    """The address with an `sslmode`, unless it has one."""
    url = make_url(address)
    return (
        address
        if "sslmode" in url.query
        else url.update_query_dict({"sslmode": mode}).render_as_string(hide_password=False)
    )


def _hosts(url: URL) -> list[str]:
    """Every host that an address names, before its database or after it; none, where the environment decides."""
    query = {name: (told,) if isinstance(told, str) else told for name, told in url.query.items()}
    told = (url.host or "", *query.get("host", ()), *query.get("hostaddr", ()))
    hosts = [one.strip() for each in told for one in each.split(",") if one.strip()]
    return hosts or [""]


def _is_here(host: str) -> bool:
    """Whether a host is this machine: a folder of sockets, or an address of it alone. A port may follow."""
    name = host if host.count(":") > 1 else host.partition(":")[0]
    try:
        return (
            host.startswith(("/", "@"))
            or name == "localhost"
            or ip_address(name.strip("[]")).is_loopback
        )
    except ValueError:
        return False


def shown(place: Path | str) -> str:
    """A place as people may see it: of an address only host, port and database."""
    if isinstance(place, Path):
        return str(place)
    url = url_of(place)
    port = f":{url.port}" if url.port else ""
    return f"{SCHEME}://{url.host or ''}{port}/{url.database}"


class Absent:
    """Stands in for the database at a place where there is none; its tables are empty, and in memory."""

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


EXPECTED = f"a ledger of version {VERSION}"


def version_of(database: Database) -> int:
    """The version of a ledger, 0 if there is none yet; raise `LedgerError` if it is unknown, or no ledger."""
    with database.reading() as connection:
        return _checked(database, connection)


def make_tables(database: Database) -> None:
    """Make the tables, or those that an older ledger lacks, all or none, unless another process has been faster."""
    with database.making() as connection:
        version = _checked(database, connection)
        if version == VERSION:
            return
        if version == 1:
            connection.execute(text("ALTER TABLE records ADD COLUMN ends TEXT"))
        TABLES.create_all(connection)
        connection.execute(delete(LEDGER))
        connection.execute(insert(LEDGER).values(version=VERSION))


def _checked(database: Database, connection: Connection) -> int:
    tables = inspect(connection).get_table_names()
    if not tables:
        return 0
    if LEDGER.name not in tables:
        next_step = "It belongs to another program. Use another state folder."
        raise LedgerError(
            database.place,
            f"a database with other tables ({', '.join(tables[:3])})",
            EXPECTED,
            next_step,
        )
    versions = connection.execute(select(LEDGER.c.version)).scalars().all()
    if versions not in [[version] for version in range(1, VERSION + 1)]:
        found = f"version {', '.join(map(str, versions)) or 'unknown'}"
        next_step = "It was written by another release of this program. Use that release, or another state folder."
        raise LedgerError(database.place, found, EXPECTED, next_step)
    return int(versions[0])


AT_ONCE = 5_000
# The copy has a version of its own, and nobody holds a feed of it.
LEFT_OUT = (LEDGER, LOCKS)


def copy_tables(of: Connection, into: Connection) -> None:
    """Copy all rows into a ledger that has none."""
    for table in TABLES.sorted_tables:
        if table in LEFT_OUT:
            continue
        rows = of.execution_options(yield_per=AT_ONCE).execute(select(table))
        while part := _next(rows):
            into.execute(insert(table), part)


def _next(rows: Any) -> Sequence[dict[str, Any]]:
    return [dict(row._mapping) for row in islice(rows, AT_ONCE)]
