"""Temporary folders below the state folder. Each run removes those that a killed process left."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connectors.ledger.file_lock import is_file_locked, lock_file
from connectors.private_files import make_private_folder

SCRATCH, LOCK = "scratch", ".lock"


@contextmanager
def scratch_folder(state: Path) -> Iterator[Path]:
    """Yield an empty folder below the state folder, for its owner only; delete it afterwards.

    Its lock exists first, so that no other process takes the folder for a leftover.
    """
    make_private_folder(state / SCRATCH)
    _remove_leftovers(state / SCRATCH)
    folder = state / SCRATCH / secrets.token_hex(8)
    lock = folder.with_suffix(LOCK)
    try:
        with lock_file(lock):
            folder.mkdir(mode=0o700)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
        with suppress(OSError):  # other runs use it
            folder.parent.rmdir()


def _remove_leftovers(place: Path) -> None:
    for folder in (one for one in place.iterdir() if one.is_dir()):
        lock = folder.with_suffix(LOCK)
        if not is_file_locked(lock):
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)
