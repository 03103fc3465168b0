"""Private folders (mode 0700) and files (mode 0600) for personal data; no half-written files."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

# The suffix of a file that is still being written.
UNFINISHED = ".part"


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, with mode 0700."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make sure that a file and its folder exist, and that the file has mode 0600.

    An existing file is not opened: closing it would release the locks that SQLite holds on it in
    this process.
    """
    make_private_folder(path.parent)
    with suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
    path.chmod(0o600)


def open_private_file(path: Path) -> int:
    """Open a file to read and write, created with its folder if missing; return its descriptor."""
    make_private_folder(path.parent)
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    os.fchmod(file, 0o600)
    return file


def write_private(path: Path, text: str) -> None:
    """Write a text as UTF-8 without changing its line breaks; create the folder if missing."""
    make_private_folder(path.parent)
    write_atomically(path, lambda file: file.write(text.encode()))


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file; the complete file is on the disk when this returns.

    If `write` or the file system raises an error, the file that was there before stays unchanged.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.unlink(missing_ok=True)
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
