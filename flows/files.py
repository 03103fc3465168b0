"""Files that only their owner may read: reports and rejects hold personal values."""

from __future__ import annotations

import os
from pathlib import Path


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, with mode 0700."""
    for one in reversed([folder, *folder.parents]):
        one.mkdir(mode=0o700, exist_ok=True)


def private_file(path: Path) -> None:
    """Make a file with mode 0600, or give it that; one that is there is not opened, since a database may be using it."""
    private_folder(path.parent)
    path.touch(mode=0o600)
    path.chmod(0o600)


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600 in a folder with mode 0700."""
    private_folder(path.parent)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
    ) as file:
        file.write(text)
