"""Leaves nothing in the sandbox's file of what was overwritten."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

WAIT_SECONDS = 10


def compact(database: Path, wait: float = WAIT_SECONDS) -> bool:
    """Write the file anew and empty its journal; False if somebody has been using it for so long (seconds)."""
    try:
        with closing(sqlite3.connect(database, timeout=wait, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    return not busy
