"""Step 1 of the pipeline: finds a feed's drop, waits until it is complete, and reads it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.drops import read
from connectors.oneroster.retry import RetryPolicy
from flows.arrival import Arrival
from flows.dates import day_in_name, days_in_name
from flows.errors import SettingsError
from flows.job import Job
from flows.name_times import in_order
from flows.rest_source import read_rest
from flows.scratch import scratch_folder
from transforms.findings import Findings, file_finding, merge_findings
from transforms.grammar import agree
from transforms.roster import Raw
from transforms.sources import escape_character

if TYPE_CHECKING:
    from connectors.fetch import DropAddress, RemoteFile


def extract(job: Job) -> Raw:
    """Read the drop of a job, every column as text. What is wrong with it becomes findings."""
    source = job.source
    if source.rest:
        return read_rest(source.rest)
    try:
        with arrived_drop(job) as (drop, findings):
            markers = frozenset({source.pickup.arrival.marker_of(drop.name)})
            raw = read(drop, encoding=source.encoding, strict=source.strict, leave=markers)
            # Whether cells escape their quotes is known only once the layout is recognized.
            if escape := escape_character(source.layout, raw):
                raw = read(
                    drop,
                    encoding=source.encoding,
                    strict=source.strict,
                    leave=markers,
                    escape=escape,
                )
    except IncompleteDropError as error:
        return Raw({}, findings=file_finding("drop_incomplete", "", str(error)))
    return replace(raw, findings=merge_findings([findings, raw.findings]))


CHANGED = "it changed while it was read"


class IncompleteDropError(Exception):
    """A drop that is not complete; the message says what is missing."""


@dataclass(frozen=True)
class DropListing:
    """The files of a drop at one point in time."""

    files: Mapping[str, RemoteFile]  # by name, without the marker
    marker: RemoteFile | None = None

    @property
    def moments(self) -> list[tuple[datetime, str]]:
        """The modification times of the files, as far as they are known, oldest first."""
        return sorted((entry.changed, name) for name, entry in self.files.items() if entry.changed)


@contextmanager
def arrived_drop(job: Job) -> Iterator[tuple[Path, Findings]]:
    """Yield a job's drop on this machine, with the findings about its arrival.

    A drop from elsewhere is deleted here when the body ends. Raises `IncompleteDropError` if the
    drop is not complete in time, changes while it is read, or does not arrive, and `FetchError` if
    it cannot be found.
    """
    if not (job.source.pickup.address or job.source.pickup.arrival.looks):
        yield job.source.drop, Findings()
        return
    # The clients of stores take a while to import, and most feeds do not need them.
    from connectors.fetch import DropAddress, IncompleteFetchError

    pickup = job.source.pickup
    arrival, marker = pickup.arrival, pickup.arrival.marker_of(job.source.drop.name)
    place = DropAddress(pickup.address or str(job.source.drop), pickup.access, patience(job))
    look = wait_until_complete(place, arrival, marker)
    findings = _spread_findings(look, arrival)
    if not pickup.address:
        yield job.source.drop, findings
        _refuse_changed(place, look, marker)
        return
    with scratch_folder(job.run.state) as folder:
        try:
            local_drop = place.fetch(folder, leave=frozenset({marker}))
        except IncompleteFetchError as error:
            raise IncompleteDropError(error.why) from None
        _refuse_changed(place, look, marker)
        yield local_drop, findings


def patience(job: Job) -> RetryPolicy:
    """Return for how long a server with drops is asked again: for as long as the target is."""
    return RetryPolicy(seconds=job.load.patience_seconds)


def wait_until_complete(place: DropAddress, arrival: Arrival, marker: str) -> DropListing:
    """Wait until the drop is complete.

    Raises `IncompleteDropError` if it is not complete in time.
    """
    until = time.monotonic() + arrival.wait
    before, look = None, _look(place, marker)
    while reason := _why_incomplete(before, look, arrival, marker):
        if time.monotonic() + arrival.pause > until:
            raise IncompleteDropError(reason)
        time.sleep(arrival.pause)
        before, look = look, _look(place, marker)
    return look


def _look(place: DropAddress, marker: str) -> DropListing:
    files = {name: entry for name, entry in place.look().items() if name != marker}
    return DropListing(files, place.marker(marker) if marker else None)


def _why_incomplete(
    before: DropListing | None, look: DropListing, arrival: Arrival, marker: str
) -> str:
    """Return why a drop is not complete yet; blank if it is."""
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
        seconds = agree(arrival.settle, "seconds")
        return f"its files have not been the same for {arrival.settle:g} {seconds}"
    return ""


def _refuse_changed(place: DropAddress, look: DropListing, marker: str) -> None:
    if _look(place, marker) != look:
        raise IncompleteDropError(CHANGED)


def _spread_findings(look: DropListing, arrival: Arrival) -> Findings:
    """Report files that were written so far apart that they may come from different exports."""
    if not arrival.spread or not look.moments:
        return Findings()
    (first, oldest), *_, (last, newest) = (*look.moments, look.moments[-1])
    if (last - first).total_seconds() <= arrival.spread:
        return Findings()
    return file_finding(
        "drop_spread",
        "",
        f"{oldest} is of {first:%Y-%m-%d %H:%M}, {newest} of {last:%Y-%m-%d %H:%M} UTC",
    )


ANY = "*"
MOST_NAMES = 5
# An address; one slash is enough, since a `Path` removes the second.
ADDRESSED = re.compile(r"[a-z][a-z0-9]+:/", re.IGNORECASE)
ADDRESS = "is an address. Write it into a feed file, as its `drop`, and name that file."
MISSING = "does not exist. Name a folder, a zip, or a feed file (*.toml)."
NARROW = "Remove one of them, or narrow the pattern of `drop` in the feed file."


def find_drop(job: Job) -> Job:
    """Find a job's drop.

    Raises `SettingsError` if it does not exist, and `FetchError` if its store cannot be listed.
    """
    job = newest_drop(job)
    if not (job.source.pickup.address or job.source.drop.exists()):
        raise SettingsError(
            f"{job.source.drop} {ADDRESS if ADDRESSED.match(str(job.source.drop)) else MISSING}"
        )
    return job


def newest_drop(job: Job) -> Job:
    """Choose the newest drop that the job's pattern matches.

    Raises `SettingsError` if there is none or the choice is not certain, and `FetchError`.
    """
    pickup = job.source.pickup
    place = pickup.address or str(job.source.drop)
    folder, _, pattern = place.rpartition("/")
    if ANY not in place or job.source.drop.exists():
        return job
    _refuse_pattern(place, folder)
    name = newest_name(_matching_drops(folder or ".", pattern, job), pickup.days)
    day = job.source.dated or day_in_name(name, pickup.days)
    if pickup.address:
        at = replace(pickup, address=f"{folder}/{name}")
        return replace(job, source=replace(job.source, drop=Path(name), pickup=at, dated=day))
    return replace(job, source=replace(job.source, drop=job.source.drop.with_name(name), dated=day))


def newest_name(changed: Mapping[str, datetime | None], pattern: re.Pattern[str]) -> str:
    """Return the name of the newest drop. Raises `SettingsError` if that is not certain.

    `changed` gives the modification time of each drop, if it is known. A day in the name takes
    precedence, and with it a time.
    """
    days = {name: days_in_name(name, pattern) for name in sorted(changed)}
    if undecided := [name for name, named_days in days.items() if len(named_days) > 1]:
        raise SettingsError(f"{undecided[0]} has two days in its name. Leave it that of its drop.")
    if not any(days.values()):
        return _latest_change(changed)
    if undated := [name for name, named_days in days.items() if not named_days]:
        raise SettingsError(f"{undated[0]} says no day in its name, and others do. {NARROW}")
    latest = max(max(named_days) for named_days in days.values())
    return in_order([name for name in days if latest in days[name]], changed, pattern)[-1]


def _latest_change(changed: Mapping[str, datetime | None]) -> str:
    """Return the name of the drop that was changed last."""
    if len(changed) == 1:
        return next(iter(changed))
    known = {name: when for name, when in changed.items() if when is not None}
    if unknown := changed.keys() - known.keys():
        raise SettingsError(
            f"{min(unknown)} says neither its day nor when it was changed. {NARROW}"
        )
    latest = max(known.values())
    first, *others = sorted(name for name, when in known.items() if when == latest)
    if others:
        raise SettingsError(
            f"{first} and {others[0]} were changed at {latest}, and their names say no day: which "
            f"one is newer is not certain. {NARROW}"
        )
    return first


def _matching_drops(folder: str, pattern: str, job: Job) -> dict[str, datetime | None]:
    """Return the drops in a folder that match a pattern, with their modification times."""
    # The clients of stores take a while to import, and most feeds name their drop.
    from connectors.fetch import DropStore, without_secrets

    store = DropStore(folder, job.source.pickup.access, patience(job))
    wanted = re.compile(".*".join(map(re.escape, pattern.split(ANY))), re.DOTALL)
    found = {name: store.entries[name].changed for name in store.drops if wanted.fullmatch(name)}
    if not found:
        raise SettingsError(
            f"No folder or zip in {without_secrets(folder)} fits {pattern!r}. "
            f"{_names_there(store.names)}"
        )
    return found


def _names_there(names: list[str]) -> str:
    more = ", …" if len(names) > MOST_NAMES else ""
    return f"There are: {', '.join(names[:MOST_NAMES])}{more}." if names else "It is empty."


def _refuse_pattern(place: str, folder: str) -> None:
    if ANY in folder:
        raise SettingsError(
            f"{place} has {ANY} in a folder's name. Only the last part may be a pattern."
        )
    if place.startswith(("http://", "https://")):
        raise SettingsError(
            f"{place} has {ANY}, and what lies at a web address cannot be listed. "
            "Name the zip itself."
        )
