"""Files that only their owner may read: reports and rejects hold personal values."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flows.errors import SettingsError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, with mode 0700."""
    for one in reversed([folder, *folder.parents]):
        one.mkdir(mode=0o700, exist_ok=True)


def closed(state: Path) -> Path:
    """Give a state folder to which not everybody may write: one that was made so is closed, with all that is in it.

    Nobody means that: whoever may write to it can put another ledger in place of ours. What a group may do there stays as
    it is where others may do nothing. Raises `SettingsError` for a folder that is not ours to close.
    """
    mode = _mode(state)
    if not mode & stat.S_IWOTH:
        return state
    if mode & stat.S_ISVTX:
        raise SettingsError(
            f"Everybody may write to {state}, which is meant so. Name a folder of your own with --state."
        )
    try:
        for one in (state, *state.rglob("*")):
            if not one.is_symlink():
                one.chmod(one.stat().st_mode & ~OTHERS)
    except PermissionError as error:
        raise SettingsError(
            f"Everybody may write to the state folder {state}, and {error.filename} belongs to another user. "
            f"Let its owner close it (chmod -R go= {state}), or name another with --state."
        ) from None
    return state


def _mode(folder: Path) -> int:
    """The mode of a folder; none of what is no folder or cannot be looked at, nor where modes mean nothing."""
    try:
        return folder.stat().st_mode if os.name == "posix" and folder.is_dir() else 0
    except OSError:
        return 0


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
