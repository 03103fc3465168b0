"""One file for each layout: what it makes of a raw drop. `normalise` is step 2 of the straight line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from transforms.raw import Raw
from transforms.roster import Roster
from transforms.sources import oneroster

SOURCES: dict[str, Callable[[Raw, date, bool, bool], Roster]] = {"oneroster": oneroster.normalise}


def normalise(layout: str, raw: Raw, today: date, strict: bool = False, secrets: bool = False) -> Roster:
    """Give a drop in OneRoster 1.2's columns and spelling; what cannot be normalised stays as it was.

    Passwords go no further than here, unless `secrets` says that they shall.
    """
    return SOURCES[layout](raw, today, strict, secrets)
