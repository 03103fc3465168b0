"""Which feed's file a flow means by a district: the path of a file, or the name of one in the folder of feeds."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from flows.feeds.targets import SettingsError

FEEDS, STATE = "ROSTER_FEEDS", "ROSTER_STATE"


def feed_file(district: str, environment: Mapping[str, str]) -> Path:
    """Find the file (or drop) that is meant: as a path, or as NAME.toml in $ROSTER_FEEDS. Raises `SettingsError`."""
    path = Path(district)
    if district and path.exists():
        return path
    folder = Path(environment.get(FEEDS, "feeds"))
    named = folder / f"{district}.toml"
    if district and named.is_file():
        return named
    there = sorted(file.stem for file in folder.glob("*.toml"))
    close = get_close_matches(district, there, 1)
    meant = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(there)}." if there else ""
    raise SettingsError(
        f"District {district!r} is neither a file nor the name of one in {folder} (${FEEDS}).{meant} Name a feed's file."
    )


def state_folder(state: str, environment: Mapping[str, str]) -> Path:
    """The state folder that is meant; blank means $ROSTER_STATE, or `.roster`."""
    return Path(state or environment.get(STATE) or ".roster")
