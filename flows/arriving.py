"""Waits until a drop has arrived as a whole, and brings it here for as long as it is read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.job import Job
from flows.pickup import Arrival
from flows.scratch import scratch_folder
from transforms.findings import Findings, of_file

if TYPE_CHECKING:
    from connectors.fetching import Entry, Place

CHANGED = "it changed while it was read"


class Incomplete(Exception):
    """A drop that is not there as a whole, and what it lacks."""


@dataclass(frozen=True)
class Look:
    """The files of a drop, but for its marker, as they are at one moment."""

    files: Mapping[str, Entry]
    marker: Entry | None = None

    @property
    def moments(self) -> list[tuple[datetime, str]]:
        """When each file was changed, as far as that is known, the oldest first."""
        return sorted((entry.changed, name) for name, entry in self.files.items() if entry.changed)


@contextmanager
def arrived(job: Job) -> Iterator[tuple[Path, Findings]]:
    """Give a job's drop on this machine while the body lasts, with what was found of its arrival.

    Raises `Incomplete` if it has not arrived in time, and `FetchError`.
    """
    if not (job.source.pickup.address or job.source.pickup.arrival.looks):
        yield job.source.drop, Findings()
        return
    # What reads stores takes a while to import, and most feeds need it not.
    from connectors.fetching import Place

    arrival, marker = job.source.pickup.arrival, job.source.pickup.arrival.marker_of(job.source.drop.name)
    place = Place(job.source.pickup.address or str(job.source.drop), job.source.pickup.access)
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


def awaited(place: Place, arrival: Arrival, marker: str) -> Look:
    """Look until nothing is lacking any more. Raises `Incomplete` when it has been waited for long enough."""
    until = time.monotonic() + arrival.wait
    before, look = None, _look(place, marker)
    while lacking := _lacking(before, look, arrival, marker):
        if time.monotonic() + arrival.pause > until:
            raise Incomplete(lacking)
        time.sleep(arrival.pause)
        before, look = look, _look(place, marker)
    return look


def _look(place: Place, marker: str) -> Look:
    files = {name: entry for name, entry in place.look().items() if name != marker}
    return Look(files, place.marker(marker) if marker else None)


def _lacking(before: Look | None, look: Look, arrival: Arrival, marker: str) -> str:
    """Say what a drop lacks to be whole; blank for nothing."""
    if arrival.ready and look.marker is None:
        return f"its marker {marker} is not there"
    if look.marker and look.marker.changed and look.moments and look.moments[-1][0] > look.marker.changed:
        return f"{look.moments[-1][1]} is newer than its marker {marker}"
    if arrival.settle and look != before:
        return f"its files have not been the same for {arrival.settle:g} seconds"
    return ""


def _refuse_changed(place: Place, look: Look, marker: str) -> None:
    if _look(place, marker) != look:
        raise Incomplete(CHANGED)


def _spread(look: Look, arrival: Arrival) -> Findings:
    """Tell files that were written so far apart that they may be of different exports."""
    if not arrival.spread or not look.moments:
        return Findings()
    (first, oldest), *_, (last, newest) = (*look.moments, look.moments[-1])
    if (last - first).total_seconds() <= arrival.spread:
        return Findings()
    return of_file("drop_spread", "", f"{oldest} is of {first:%Y-%m-%d %H:%M}, {newest} of {last:%Y-%m-%d %H:%M} UTC")
