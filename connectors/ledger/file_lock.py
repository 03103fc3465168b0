"""Locks on one machine: locked files, which the system releases if the process is killed.

This module uses `fcntl` itself. portalocker 4.4.2 does the same, but imports redis, which Prefect
installs: 0.13 s of CPU in every run.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.private_files import open_private_file

# `is_file_locked` locks the file for an instant, so a lock counts as taken only if it lasts.
TRIES, PAUSE_SECONDS = 5, 0.02


@contextmanager
def lock_file(path: Path) -> Iterator[bool]:
    """Try to lock a file while the body runs; yield whether it was free.

    A second lock fails in the same process too. The file is never deleted: the next process would
    create another file, and not see the lock on the deleted one.
    """
    file = open_private_file(path)
    try:
        yield _try_for_a_while(file)
    finally:
        os.close(file)


def is_file_locked(path: Path) -> bool:
    """Return whether anybody has the file locked now."""
    if not path.exists():
        return False
    file = open_private_file(path)
    try:
        return not _try_lock(file, fcntl.LOCK_SH)
    finally:
        os.close(file)


def _try_for_a_while(file: int) -> bool:
    for _ in range(TRIES):
        if _try_lock(file, fcntl.LOCK_EX):
            return True
        time.sleep(PAUSE_SECONDS)
    return False


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
