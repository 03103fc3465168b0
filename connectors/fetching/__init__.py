"""Fetching: folders and drops that lie elsewhere, at any address that fsspec opens, and how their servers are known."""

from connectors.fetching.access import Access
from connectors.fetching.errors import AddressError, FetchError, shown
from connectors.fetching.listing import Entry
from connectors.fetching.place import Place
from connectors.fetching.store import Store

__all__ = ["Access", "AddressError", "Entry", "FetchError", "Place", "Store", "shown"]
