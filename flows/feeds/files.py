"""Which feed's file a flow means by a district: one in the folder of feeds, and no other file of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from flows.errors import SettingsError
from flows.files import closed

FEEDS, STATE = "ROSTER_FEEDS", "ROSTER_STATE"
# The feeds that come with the program may be run by their paths, too.
SAMPLES = Path(__file__).parents[2] / "sample_data"


def feed_file(district: str, environment: Mapping[str, str]) -> Path:
    """Find NAME.toml in the folder of feeds ($ROSTER_FEEDS), also by its path. Raises `SettingsError` for all else.

    Whoever may start a flow names a feed, and cannot have another file, a drop, or what a link leads to read.
    """
    folder = _folder(environment)
    for path in (Path(district), folder / district, folder / f"{district}.toml") if district else ():
        if path.suffix == ".toml" and _lies_in(path, folder) and path.is_file():
            return path
    there = sorted(file.stem for file in folder.glob("*.toml"))
    close = get_close_matches(district, there, 1)
    meant = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(there)}." if there else ""
    raise SettingsError(
        f"District {district!r} is no feed's file in {folder}.{meant} Name one by its name without .toml; ${FEEDS} of the "
        "worker says where the feeds' files are. Other files and bare drops are for the command line."
    )


def feeds_folder(feeds: str, environment: Mapping[str, str]) -> Path:
    """Give a folder of feeds that lies in the folder of feeds ($ROSTER_FEEDS), or is that one (blank). Raises `SettingsError`."""
    folder = _folder(environment)
    path = Path(feeds) if feeds else folder
    if _lies_in(path, folder):
        return path
    raise SettingsError(f"{feeds!r} does not lie in {folder}. ${FEEDS} of the worker says where the feeds' files are.")


def state_folder(state: str, environment: Mapping[str, str]) -> Path:
    """The state folder that is meant; blank means $ROSTER_STATE, or `.roster`. Raises `SettingsError`."""
    return closed(Path(state or environment.get(STATE) or ".roster"))


def _folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(FEEDS) or "feeds")


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path, with all links followed, is below a folder of feeds."""
    try:
        real = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # not there, no path at all, or links in a circle
        return False
    return any(real.is_relative_to(one.resolve()) for one in (folder, SAMPLES))
