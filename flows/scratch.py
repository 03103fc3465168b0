"""Folders that are needed for as long as something goes on; what a killed process left is swept up by the next one."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connectors.ledger.file_lock import file_locked, is_file_locked
from connectors.private_files import make_private_folder

SCRATCH, LOCK = "scratch", ".lock"


@contextmanager
def scratch_folder(state: Path) -> Iterator[Path]:
    """Give an empty folder below the state folder, for its owner only; it is gone when the body is over.

    Its lock is there before it, so that nobody takes it for one that was left.
    """
    make_private_folder(state / SCRATCH)
    _sweep(state / SCRATCH)
    folder = state / SCRATCH / secrets.token_hex(8)
    lock = folder.with_suffix(LOCK)
    try:
        with file_locked(lock):
            folder.mkdir(mode=0o700)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
        with suppress(OSError):  # others are in it
            folder.parent.rmdir()


def _sweep(place: Path) -> None:
    for folder in (one for one in place.iterdir() if one.is_dir()):
        lock = folder.with_suffix(LOCK)
        if not is_file_locked(lock):
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)
