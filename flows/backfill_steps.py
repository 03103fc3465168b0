"""Which drops or archived rosters of a span of days there are to replay, each with its day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from connectors.archive import Archive
from connectors.drops import read
from connectors.fetching import FetchError, Store, shown
from connectors.ledger import Ledger, Run
from flows.dates import DATED, dated
from flows.job import Job
from flows.problems import SettingsError
from transforms.replay import Step
from transforms.schemas import ENTITIES
from transforms.sources import normalise

MANIFEST = re.compile(r"\d{8}-.+\.json")
EVERYTHING = frozenset(ENTITIES)


@dataclass(frozen=True)
class Span:
    """From the first to the last day, both included; `drops` is where they lie, blank: the feed's own archive."""

    start: date
    end: date
    drops: str = ""
    pattern: re.Pattern[str] = DATED


@dataclass(frozen=True)
class Steps:
    """What is to be replayed, the oldest first: drops in a folder, or else rosters in an archive. `undated` is left out."""

    steps: list[Step]
    folder: Path | None = None
    rosters: Archive | None = None
    undated: list[str] = field(default_factory=list)


@contextmanager
def steps_of(span: Span, job: Job, ledger: Ledger) -> Iterator[Steps]:
    """Find what there is, and bring it here as long as the body lasts. Raises `SettingsError`."""
    if span.start > span.end:
        raise SettingsError(f"The span ends ({span.end}) before it begins ({span.start}). Swap the two.")
    if not span.drops:
        archive = Archive(job.state / "rosters", job.key, ledger.forgotten())
        yield _of_archive(archive, span, ledger.runs(job.key))
        return
    try:
        store = Store(span.drops)
        names = store.names()
        archived = [name for name in names if MANIFEST.fullmatch(name)]
        found = names if archived else list(_by_day(names, span).values())
        with store.fetched(found, job.state / "fetched") as folder:
            yield _of_archive(Archive.at(folder, ledger.forgotten()), span, ledger.runs(job.key)) if archived else _of_drops(folder, names, span, job)  # fmt: skip
    except FetchError as error:
        raise SettingsError(str(error)) from None


def _of_archive(archive: Archive, span: Span, runs: Iterable[Run]) -> Steps:
    days: Mapping[str, date] = {run.id: run.drop_date or run.started.date() for run in runs}
    # Of several rosters of one day the last one counts.
    found = {day: run for run in archive.runs() if (day := days.get(run) or dated(run))}
    steps = [Step(day, run, EVERYTHING) for day, run in sorted(found.items()) if span.start <= day <= span.end]
    _refuse_none(steps, span, sorted(found))
    return Steps(steps, rosters=archive)


def _of_drops(folder: Path, names: list[str], span: Span, job: Job) -> Steps:
    steps = [_step(day, name, folder, job) for day, name in sorted(_by_day(names, span).items())]
    return Steps(steps, folder, undated=[name for name in names if dated(name, span.pattern) is None])


def _by_day(names: list[str], span: Span) -> dict[date, str]:
    """Name the drop of each day of the span. Raises `SettingsError` for a day with two."""
    found: dict[date, str] = {}
    days = {name: day for name in names if (day := dated(name, span.pattern))}
    for name, day in days.items():
        if span.start <= day <= span.end and day in found:
            raise SettingsError(f"{found[day]} and {name} are both of {day}. Take one of them away.")
        if span.start <= day <= span.end:
            found[day] = name
    _refuse_none(found, span, sorted(days.values()))
    return found


def _refuse_none(found: object, span: Span, days: list[date]) -> None:
    if found:
        return
    there = f"There are some from {days[0]} to {days[-1]}." if days else "There is nothing with a date."
    where = f"in {shown(span.drops)}" if span.drops else "archived of this feed"
    raise SettingsError(f"Nothing {where} is of {span.start} to {span.end}. {there}")


def _step(day: date, name: str, folder: Path, job: Job) -> Step:
    """Say of which entities a drop is a full snapshot, as its manifest has it."""
    raw = read(folder / name, encoding=job.encoding, strict=job.strict)
    tables = normalise(job.layout, raw, job.today, job.strict).tables
    whole = frozenset(entity for entity, table in tables.items() if table.mode == "bulk")
    return Step(day, name, whole, frozenset(tables) - whole)
