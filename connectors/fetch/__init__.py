"""Fetching: folders and drops that lie elsewhere, at any address that fsspec opens, and how their servers are known."""

from connectors.fetch.filesystems import Access, AddressError, FetchError, shown
from connectors.fetch.store import DropAddress, DropStore, RemoteFile

__all__ = [
    "Access",
    "AddressError",
    "RemoteFile",
    "FetchError",
    "DropAddress",
    "DropStore",
    "shown",
]
