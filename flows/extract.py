"""Step 1 of the pipeline: from wherever a feed's drops lie to a drop as read."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.drops import read
from flows.arrival import Arrival
from flows.dates import dated, days_in
from flows.errors import SettingsError
from flows.job import Job
from flows.rest_source import read_rest
from flows.scratch import scratch_folder
from transforms.findings import Findings, gather, of_file
from transforms.roster import Raw
from transforms.sources import escape_in

if TYPE_CHECKING:
    from connectors.fetch import DropAddress, RemoteFile


def extract(job: Job) -> Raw:
    """Read the drop of a job, every column as text; whatever is wrong with it is among its findings."""
    source = job.source
    if source.rest:
        return read_rest(source.rest)
    try:
        with arrived_drop(job) as (drop, findings):
            leave = frozenset({source.pickup.arrival.marker_of(drop.name)})
            raw = read(drop, encoding=source.encoding, strict=source.strict, leave=leave)
            # Only a layout that is recognized says whether it escapes quotes inside cells.
            if escape := escape_in(source.layout, raw):
                raw = read(
                    drop, encoding=source.encoding, strict=source.strict, leave=leave, escape=escape
                )
    except Incomplete as lacking:
        return Raw({}, findings=of_file("drop_incomplete", "", str(lacking)))
    return replace(raw, findings=gather([findings, raw.findings]))


CHANGED = "it changed while it was read"


class Incomplete(Exception):
    """A drop that is not there as a whole, and what it lacks."""


@dataclass(frozen=True)
class Look:
    """The files of a drop, but for its marker, as they are at one moment."""

    files: Mapping[str, RemoteFile]
    marker: RemoteFile | None = None

    @property
    def moments(self) -> list[tuple[datetime, str]]:
        """When each file was changed, as far as that is known, the oldest first."""
        return sorted((entry.changed, name) for name, entry in self.files.items() if entry.changed)


@contextmanager
def arrived_drop(job: Job) -> Iterator[tuple[Path, Findings]]:
    """Give a job's drop on this machine while the body lasts, with what was found of its arrival.

    Raises `Incomplete` if it has not arrived in time, and `FetchError`.
    """
    if not (job.source.pickup.address or job.source.pickup.arrival.looks):
        yield job.source.drop, Findings()
        return
    # What reads stores takes a while to import, and most feeds need it not.
    from connectors.fetch import DropAddress

    arrival, marker = (
        job.source.pickup.arrival,
        job.source.pickup.arrival.marker_of(job.source.drop.name),
    )
    place = DropAddress(job.source.pickup.address or str(job.source.drop), job.source.pickup.access)
    look = awaited(place, arrival, marker)
    findings = _spread(look, arrival)
    if not job.source.pickup.address:
        yield job.source.drop, findings
        _refuse_changed(place, look, marker)
        return
    with scratch_folder(job.run.state) as folder:
        here = place.fetch(folder, leave=frozenset({marker}))
        _refuse_changed(place, look, marker)
        yield here, findings


def awaited(place: DropAddress, arrival: Arrival, marker: str) -> Look:
    """Look until nothing is lacking any more. Raises `Incomplete` when it has been waited for long enough."""
    until = time.monotonic() + arrival.wait
    before, look = None, _look(place, marker)
    while lacking := _lacking(before, look, arrival, marker):
        if time.monotonic() + arrival.pause > until:
            raise Incomplete(lacking)
        time.sleep(arrival.pause)
        before, look = look, _look(place, marker)
    return look


def _look(place: DropAddress, marker: str) -> Look:
    files = {name: entry for name, entry in place.look().items() if name != marker}
    return Look(files, place.marker(marker) if marker else None)


def _lacking(before: Look | None, look: Look, arrival: Arrival, marker: str) -> str:
    """Say what a drop lacks to be whole; blank for nothing."""
    if arrival.ready and look.marker is None:
        return f"its marker {marker} is not there"
    if (
        look.marker
        and look.marker.changed
        and look.moments
        and look.moments[-1][0] > look.marker.changed
    ):
        return f"{look.moments[-1][1]} is newer than its marker {marker}"
    if arrival.settle and look != before:
        return f"its files have not been the same for {arrival.settle:g} seconds"
    return ""


def _refuse_changed(place: DropAddress, look: Look, marker: str) -> None:
    if _look(place, marker) != look:
        raise Incomplete(CHANGED)


def _spread(look: Look, arrival: Arrival) -> Findings:
    """Tell files that were written so far apart that they may be of different exports."""
    if not arrival.spread or not look.moments:
        return Findings()
    (first, oldest), *_, (last, newest) = (*look.moments, look.moments[-1])
    if (last - first).total_seconds() <= arrival.spread:
        return Findings()
    return of_file(
        "drop_spread",
        "",
        f"{oldest} is of {first:%Y-%m-%d %H:%M}, {newest} of {last:%Y-%m-%d %H:%M} UTC",
    )


ANY = "*"
MOST_NAMES = 5
# A path has no doubled slashes.
ADDRESSED = re.compile(r"[a-z][a-z0-9]+:/", re.IGNORECASE)
ADDRESS = "is an address. Write it into a feed's file, as its `drop`, and name that file."
MISSING = "does not exist. Name a folder, a zip, or a feed's file (*.toml)."
NARROW = "Take one of them away, or narrow the pattern in the feed's file."


def find_drop(job: Job) -> Job:
    """Find a job's drop. Raises `SettingsError` if it is not there, and `FetchError` if that cannot be known."""
    job = newest_drop(job)
    if not (job.source.pickup.address or job.source.drop.exists()):
        raise SettingsError(
            f"{job.source.drop} {ADDRESS if ADDRESSED.match(str(job.source.drop)) else MISSING}"
        )
    return job


def newest_drop(job: Job) -> Job:
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
            f"{min(found.keys() - moments.keys())} says neither its day nor when it was changed. "
            f"{NARROW}"
        )
    last = max(moments.values())
    first, *others = sorted(name for name, moment in moments.items() if moment == last)
    if others:
        raise SettingsError(
            f"{first} and {others[0]} {what} {last}: which one is newer is not certain. {NARROW}"
        )
    return first


def _fitting(folder: str, pattern: str, job: Job) -> dict[str, datetime | None]:
    """What fits of what lies in the folder, and when it was changed."""
    # What reads stores takes a while to import, and most feeds name their drop.
    from connectors.fetch import DropStore, shown

    store = DropStore(folder, job.source.pickup.access)
    wanted = re.compile(".*".join(map(re.escape, pattern.split(ANY))), re.DOTALL)
    found = {name: store.entries[name].changed for name in store.drops if wanted.fullmatch(name)}
    if not found:
        raise SettingsError(
            f"No folder or zip in {shown(folder)} fits {pattern!r}. {_there(store.names)}"
        )
    return found


def _there(names: list[str]) -> str:
    more = ", …" if len(names) > MOST_NAMES else ""
    return f"There are: {', '.join(names[:MOST_NAMES])}{more}." if names else "It is empty."


def _refuse_unlisted(place: str, folder: str) -> None:
    if ANY in folder:
        raise SettingsError(
            f"{place} has {ANY} in a folder's name. Only what stands last may be a pattern."
        )
    if place.startswith(("http://", "https://")):
        raise SettingsError(
            f"{place} has {ANY}, and what lies at a web address cannot be listed. "
            "Name the zip itself."
        )
