"""The archive: each accepted roster of a feed, before it was compared with the ledger."""

from connectors.roster_archive.archive import Archive
from connectors.roster_archive.manifest import ArchiveError

__all__ = ["Archive", "ArchiveError"]
