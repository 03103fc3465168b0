"""Files of the archive: whole or not at all, in folders for their owner only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from connectors.archive.errors import writing
from connectors.durable import write_whole
from connectors.ledger.private import make_folder


def write_durably(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Have `write` fill a file, and its folder be there; raise `ArchiveError` if the file system does not let it."""
    with writing(path):
        make_folder(path.parent)
        write_whole(path, write)
