"""Makes a new ledger's tables, brings an older one up to date, and refuses what is not a ledger of this program."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, inspect, select, text

from connectors.ledger.database import Database
from connectors.ledger.errors import LedgerError
from connectors.ledger.tables import LEDGER, TABLES, VERSION

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
            database.place, f"a database with other tables ({', '.join(tables[:3])})", EXPECTED, next_step
        )
    versions = connection.execute(select(LEDGER.c.version)).scalars().all()
    if versions not in [[version] for version in range(1, VERSION + 1)]:
        found = f"version {', '.join(map(str, versions)) or 'unknown'}"
        next_step = "It was written by another release of this program. Use that release, or another state folder."
        raise LedgerError(database.place, found, EXPECTED, next_step)
    return int(versions[0])
