"""Opens addresses: what goes over a network is encrypted, and comes from the server that is meant."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import fsspec  # type: ignore[import-untyped]

from connectors.fetching.access import Access
from connectors.fetching.errors import AddressError, scheme_of, shown

SFTP, HTTP = ("sftp", "ssh"), ("http", "https")
S3 = ("s3", "s3a")
LOCAL = ("", "file", "local", "memory")
# HTTPS, SFTP, and the stores of Amazon, Google and Microsoft, which are reached by HTTPS.
ENCRYPTED = ("https", "sftp", "ssh", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")
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
    if scheme in S3:
        _refuse_clear(address, system.s3.meta.endpoint_url)
    return system, str(path)


def _refuse_clear(address: str, endpoint: str) -> None:
    """Raise `AddressError` for a store that the environment has elsewhere, where nothing is encrypted."""
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise AddressError(
            f"{address} is reached at {shown(endpoint)}, which is not encrypted. Let the environment name its https address."
        )


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
    scheme = scheme_of(address)
    if scheme not in (*LOCAL, *ENCRYPTED) and not (scheme == "http" and urlsplit(address).hostname in LOOPBACK):
        raise AddressError(
            f"{address} is not encrypted, as far as is known, and rosters are about children. "
            f"Use one of {', '.join(f'{name}://' for name in ENCRYPTED)}, or a path on this machine."
        )
