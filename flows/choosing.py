"""Chooses among the drops that a pattern fits: the newest by the day in its name, or, if none says a day, by when it was changed.

A pattern has `*` for whatever varies: names hold hours, numbers and codes beside a date, and a date is found among them
by itself. Names like `[2]` and `what?.zip` mean themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from flows.dates import dated, days_in
from flows.errors import SettingsError
from flows.job import Job

ANY = "*"
MOST_NAMES = 5
# A path has no doubled slashes.
ADDRESSED = re.compile(r"[a-z][a-z0-9]+:/", re.IGNORECASE)
ADDRESS = "is an address. Write it into a feed's file, as its `drop`, and name that file."
MISSING = "does not exist. Name a folder, a zip, or a feed's file (*.toml)."
NARROW = "Take one of them away, or narrow the pattern in the feed's file."


def there(job: Job) -> Job:
    """Find a job's drop. Raises `SettingsError` if it is not there, and `FetchError` if that cannot be known."""
    job = chosen(job)
    if not (job.source.pickup.address or job.source.drop.exists()):
        raise SettingsError(f"{job.source.drop} {ADDRESS if ADDRESSED.match(str(job.source.drop)) else MISSING}")
    return job


def chosen(job: Job) -> Job:
    """Give a job the newest of the drops that its pattern fits. Raises `SettingsError`, and `FetchError`."""
    place = job.source.pickup.address or str(job.source.drop)
    folder, _, pattern = place.rpartition("/")
    if ANY not in place or job.source.drop.exists():
        return job
    _refuse_unlisted(place, folder)
    name = newest(_fitting(folder or ".", pattern, job), job.source.pickup.days)
    day = job.source.dated or dated(name, job.source.pickup.days)
    if job.source.pickup.address:
        at = replace(job.source.pickup, address=f"{folder}/{name}")
        return replace(job, source=replace(job.source, drop=Path(name), pickup=at, dated=day))
    return replace(job, source=replace(job.source, drop=job.source.drop.with_name(name), dated=day))


def newest(found: Mapping[str, datetime | None], pattern: re.Pattern[str]) -> str:
    """Name the newest of the drops, of each of which it is known when it was changed. Raises `SettingsError` if that is not certain."""
    days = {name: days_in(name, pattern) for name in sorted(found)}
    if undecided := [name for name, said in days.items() if len(said) > 1]:
        raise SettingsError(f"{undecided[0]} has two days in its name. Leave it that of its drop.")
    if not any(days.values()):
        return _last(found, "were changed at")
    if undated := [name for name, said in days.items() if not said]:
        raise SettingsError(f"{undated[0]} says no day in its name, and others do. {NARROW}")
    return _last({name: next(iter(said)) for name, said in days.items()}, "are of")


def _last(found: Mapping[str, date | None], what: str) -> str:
    if len(found) == 1:
        return next(iter(found))
    moments = {name: moment for name, moment in found.items() if moment is not None}
    if len(moments) < len(found):
        raise SettingsError(
            f"{min(found.keys() - moments.keys())} says neither its day nor when it was changed. {NARROW}"
        )
    last = max(moments.values())
    first, *others = sorted(name for name, moment in moments.items() if moment == last)
    if others:
        raise SettingsError(f"{first} and {others[0]} {what} {last}: which one is newer is not certain. {NARROW}")
    return first


def _fitting(folder: str, pattern: str, job: Job) -> dict[str, datetime | None]:
    """What fits of what lies in the folder, and when it was changed."""
    # What reads stores takes a while to import, and most feeds name their drop.
    from connectors.fetching import Store, shown

    store = Store(folder, job.source.pickup.access)
    wanted = re.compile(".*".join(map(re.escape, pattern.split(ANY))), re.DOTALL)
    found = {name: store.entries[name].changed for name in store.drops if wanted.fullmatch(name)}
    if not found:
        raise SettingsError(f"No folder or zip in {shown(folder)} fits {pattern!r}. {_there(store.names)}")
    return found


def _there(names: list[str]) -> str:
    more = ", …" if len(names) > MOST_NAMES else ""
    return f"There are: {', '.join(names[:MOST_NAMES])}{more}." if names else "It is empty."


def _refuse_unlisted(place: str, folder: str) -> None:
    if ANY in folder:
        raise SettingsError(f"{place} has {ANY} in a folder's name. Only what stands last may be a pattern.")
    if place.startswith(("http://", "https://")):
        raise SettingsError(f"{place} has {ANY}, and what lies at a web address cannot be listed. Name the zip itself.")
