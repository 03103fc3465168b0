"""Makes a new ledger's tables, and refuses a file that is not a ledger of this version."""

from __future__ import annotations

from sqlalchemy import Connection, insert, inspect, select

from connectors.ledger.database import Database
from connectors.ledger.errors import LedgerError
from connectors.ledger.tables import LEDGER, TABLES, VERSION

EXPECTED = f"a ledger of version {VERSION}"


def is_ready(database: Database) -> bool:
    """Whether the ledger has its tables; raise `LedgerError` if it is another version, or no ledger."""
    with database.reading() as connection:
        return _checked(database, connection)


def make_tables(database: Database) -> None:
    """Make the tables, all or none, unless another process has been faster."""
    database.set_up()
    with database.writing() as connection:
        if not _checked(database, connection):
            TABLES.create_all(connection)
            connection.execute(insert(LEDGER).values(version=VERSION))


def _checked(database: Database, connection: Connection) -> bool:
    tables = inspect(connection).get_table_names()
    if not tables:
        return False
    if LEDGER.name not in tables:
        next_step = "It belongs to another program. Use another state folder."
        raise LedgerError(database.path, f"a database with other tables ({', '.join(tables[:3])})", EXPECTED, next_step)
    versions = connection.execute(select(LEDGER.c.version)).scalars().all()
    if versions != [VERSION]:
        found = f"version {', '.join(map(str, versions)) or 'unknown'}"
        next_step = "It was written by another release of this program. Use that release, or another state folder."
        raise LedgerError(database.path, found, EXPECTED, next_step)
    return True
