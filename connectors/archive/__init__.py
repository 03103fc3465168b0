"""The archive: each accepted roster of a feed, as it stood before it was compared with the ledger."""

from connectors.archive.archive import Archive
from connectors.archive.errors import ArchiveError

__all__ = ["Archive", "ArchiveError"]
