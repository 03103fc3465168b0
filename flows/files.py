"""State folders that others may write to, and how they are protected."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flows.errors import SettingsError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def protect_state_folder(state: Path) -> Path:
    """Return a state folder, after removing the access of others to it if everyone may write to it.

    Nobody wants such access: anyone with it could replace our ledger. The access of the group stays
    if others may not write. Raises `SettingsError` for a folder that we may not change.
    """
    mode = _mode(state)
    if not mode & stat.S_IWOTH:
        return state
    if mode & stat.S_ISVTX:
        raise SettingsError(
            f"Everybody may write to {state}, and that is intended. "
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
    """Return the mode of a folder.

    It is 0 for anything that is no folder or cannot be read, and on systems without modes.
    """
    try:
        return folder.stat().st_mode if os.name == "posix" and folder.is_dir() else 0
    except OSError:
        return 0
