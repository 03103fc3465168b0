"""Time zones, from the newest of two sources: the system's files, or the package `tzdata`.

`zoneinfo` prefers the system's files, however old they are. A country that has changed its rules
since would get its nights and its last days at the wrong hour.
"""

from __future__ import annotations

import zoneinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import tzdata  # type: ignore[import-untyped]

# The system's version is the last word of this file's first line: `# version 2026f`.
VERSION_FILE = "tzdata.zi"


def time_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name. Raises `ZoneInfoNotFoundError` if there is none."""
    _prefer_newest()
    return ZoneInfo(name)


def time_zone_names() -> set[str]:
    """Return the names of all time zones."""
    _prefer_newest()
    return zoneinfo.available_timezones()


@cache
def _prefer_newest() -> None:
    """Leave the system's files out if they are older than the package, or of unknown age."""
    if _version_of_system() < tzdata.IANA_VERSION:
        zoneinfo.reset_tzpath(())


def _version_of_system() -> str:
    for folder in zoneinfo.TZPATH:
        try:
            with Path(folder, VERSION_FILE).open(encoding="utf-8") as file:
                return file.readline().split()[-1]
        except (OSError, IndexError):
            continue
    return ""
