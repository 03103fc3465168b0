"""Folders and files of the state, which hold names of people and are for their owner only."""

from __future__ import annotations

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are not there, with mode 0700."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def open_file(path: Path) -> int:
    """Open a file to read and write, made with its folder and mode 0600 if it is not there."""
    make_folder(path.parent)
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    os.fchmod(file, 0o600)
    return file
