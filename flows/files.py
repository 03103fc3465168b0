"""State folders that others may write to, and how they are closed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flows.errors import SettingsError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


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
            f"Everybody may write to {state}, which is meant so. "
            "Name a folder of your own with --state."
        )
    try:
        for one in (state, *state.rglob("*")):
            if not one.is_symlink():
                one.chmod(one.stat().st_mode & ~OTHERS)
    except PermissionError as error:
        raise SettingsError(
            f"Everybody may write to the state folder {state}, and {error.filename} belongs to "
            f"another user. Let its owner close it (chmod -R go= {state}), or name another with "
            "--state."
        ) from None
    return state


def _mode(folder: Path) -> int:
    """The mode of a folder; none of what is no folder or cannot be looked at, nor where modes mean nothing."""
    try:
        return folder.stat().st_mode if os.name == "posix" and folder.is_dir() else 0
    except OSError:
        return 0
