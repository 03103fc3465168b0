"""Where a ledger is: a file of SQLite, or a database on a PostgreSQL server, whose address holds a password."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

SCHEME = "postgresql"
ADDRESS = f"{SCHEME}://USER:PASSWORD@HOST:PORT/DATABASE"


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
    """The address as SQLAlchemy has it, with the driver; raises `ValueError` without a word of the address."""
    if fault := fault_of(address):
        raise ValueError(f"The address of the ledger {fault}. Expected {ADDRESS}.")
    return make_url(address).set(drivername=f"{SCHEME}+psycopg")


def shown(place: Path | str) -> str:
    """A place as people may see it: of an address only host, port and database."""
    if isinstance(place, Path):
        return str(place)
    url = url_of(place)
    port = f":{url.port}" if url.port else ""
    return f"{SCHEME}://{url.host or ''}{port}/{url.database}"
