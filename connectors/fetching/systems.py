"""Opens addresses: what goes over a network is encrypted, and comes from the server that is meant."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import fsspec  # type: ignore[import-untyped]

from connectors.fetching.access import Access
from connectors.fetching.errors import AddressError, scheme_of, shown

SFTP, HTTP = ("sftp", "ssh"), ("http", "https")
IN_THE_CLEAR = ("http", "ftp")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def opened(address: str, access: Access) -> tuple[Any, str]:
    """Give the file system of an address, and the path in it. Raises `FetchError`, and whatever the file system does."""
    refuse_unsafe(address)
    scheme = scheme_of(address)
    if scheme in SFTP:
        # Neither paramiko nor aiohttp is needed for a drop that lies here.
        from connectors.fetching.sftp import known  # noqa: PLC0415

        return known(address, access)
    if scheme in HTTP:
        from connectors.fetching.http import encrypted  # noqa: PLC0415

        return encrypted(), address
    system, path = fsspec.core.url_to_fs(address)
    return system, str(path)


def refuse_unsafe(address: str) -> None:
    """Raise `FetchError` for an address that holds a secret, shows people's data to a network, or keeps copies elsewhere."""
    if shown(address) != address:
        raise AddressError(
            f"{shown(address)} is given with a password or a query, which may be a secret. Leave it out: "
            "credentials come from the environment, as fsspec expects them."
        )
    if "::" in address:
        raise AddressError(
            f"{address} is one address in another, which may leave copies elsewhere. Name the drop itself."
        )
    if scheme_of(address) in IN_THE_CLEAR and urlsplit(address).hostname not in LOOPBACK:
        raise AddressError(f"{address} is not encrypted, and rosters are about children. Use https, sftp or a store.")
