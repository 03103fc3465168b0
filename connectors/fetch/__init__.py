"""Fetch drops from folders and servers, at any address that fsspec opens."""

from connectors.fetch.addresses import (
    Access,
    AddressError,
    FetchError,
    IncompleteFetchError,
    LostConnectionError,
    without_secrets,
)
from connectors.fetch.store import DropAddress, DropStore, RemoteFile

__all__ = [
    "Access",
    "AddressError",
    "RemoteFile",
    "FetchError",
    "IncompleteFetchError",
    "LostConnectionError",
    "DropAddress",
    "DropStore",
    "without_secrets",
]
