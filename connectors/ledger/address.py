"""Where a ledger is: a file of SQLite, or a database on a PostgreSQL server, whose address holds a password."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

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
    return address if "sslmode" in url.query else url.update_query_dict({"sslmode": mode}).render_as_string(hide_password=False)  # fmt: skip


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
        return host.startswith(("/", "@")) or name == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def shown(place: Path | str) -> str:
    """A place as people may see it: of an address only host, port and database."""
    if isinstance(place, Path):
        return str(place)
    url = url_of(place)
    port = f":{url.port}" if url.port else ""
    return f"{SCHEME}://{url.host or ''}{port}/{url.database}"
