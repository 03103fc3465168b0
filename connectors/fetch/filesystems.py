"""Open the file system of an address. Connections are encrypted, to the right server only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import fsspec  # type: ignore[import-untyped]

from connectors.fetch.addresses import (
    LOOPBACK,
    Access,
    AddressError,
    refuse_unsafe,
    scheme_of,
    without_secrets,
)

SFTP, HTTP = ("sftp", "ssh"), ("http", "https")
S3 = ("s3", "s3a")


def open_filesystem(address: str, access: Access) -> tuple[Any, str]:
    """Open the file system of an address; return it and the path in it.

    Raises `FetchError` for an unsafe address or server, and any error of the file system.
    """
    refuse_unsafe(address)
    scheme = scheme_of(address)
    if scheme in SFTP:
        # paramiko is an optional package.
        from connectors.fetch.sftp import connect  # noqa: PLC0415

        return connect(address, access)
    if scheme in HTTP:
        # A drop on this machine does not need aiohttp, which takes a while to import.
        from connectors.fetch.https import https_filesystem  # noqa: PLC0415

        return https_filesystem(), address
    system, path = fsspec.core.url_to_fs(address)
    if scheme in S3:
        _refuse_clear_endpoint(address, system.s3.meta.endpoint_url)
    return system, str(path)


def _refuse_clear_endpoint(address: str, endpoint: str) -> None:
    """Raise `AddressError` if the environment sets an endpoint that is not encrypted."""
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise AddressError(
            f"{address} is reached at {without_secrets(endpoint)}, which is not encrypted. "
            "Let the environment name its https address."
        )
