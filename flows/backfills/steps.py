"""The steps of a backfill: which drops or archived rosters to replay, and which ones are done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from functools import partial
from hashlib import file_digest, sha256
from itertools import takewhile
from pathlib import Path

from connectors.fetch import (
    DropStore,
    FetchError,
    IncompleteFetchError,
    LostConnectionError,
    without_secrets,
)
from connectors.ledger import Ledger, Run
from connectors.private_files import write_private
from connectors.roster_archive import Archive
from connectors.roster_archive.archive import folder_name
from flows.dates import DATE_IN_NAME, day_in_name, days_in_name
from flows.errors import SettingsError
from flows.extract import extract, patience
from flows.job import Job, JobSource, new_run_id
from flows.name_times import in_order
from flows.pipeline import Pipeline
from flows.restore_roster import restore_roster
from flows.run_history import day_of, has_loaded
from flows.scratch import scratch_folder
from transforms.replay import Step
from transforms.schemas import ENTITIES
from transforms.sources import normalize

MANIFEST = re.compile(r"\d{8}-.+\.json")
ALL_ENTITIES = frozenset(ENTITIES)


@dataclass(frozen=True)
class Span:
    """The days to replay."""

    start: date
    end: date  # included
    drops: str = ""  # the address of a folder of drops; blank: the feed's archived rosters
    pattern: re.Pattern[str] = DATE_IN_NAME


@dataclass(frozen=True)
class Steps:
    """The steps to replay, oldest first: drops in a folder, or rosters in an archive."""

    steps: list[Step]
    folder: Path | None = None
    rosters: Archive | None = None
    # drops without a day in their names, which are not replayed
    undated: list[str] = field(default_factory=list)

    def run_of(self, step: Step, job: Job) -> tuple[Job, Pipeline | None]:
        """Return the job of a step, and the pipeline that restores a roster; None for a drop."""
        source = replace(job.source, dated=step.day)
        job = replace(job, run=replace(job.run, id=new_run_id()), source=source)
        if self.folder:
            return replace(job, source=_arrived_source(self.folder / step.source, source)), None
        return job, partial(restore_roster, run=step.source, rosters=self.rosters)

    def content(self, step: Step) -> str:
        """Return a digest of a step's content (hex)."""
        if self.rosters:
            return self.rosters.digest(step.source)
        drop = (self.folder or Path()) / step.source
        files = sorted(one for one in drop.iterdir() if one.is_file()) if drop.is_dir() else [drop]
        return sha256(
            repr([(file.name, _file_digest(file)) for file in files]).encode()
        ).hexdigest()


@contextmanager
def find_steps(span: Span, job: Job, ledger: Ledger) -> Iterator[Steps]:
    """Yield the steps of a span. Drops from elsewhere are on this machine until the body ends.

    Raises `SettingsError` if there are none, or if their days are not clear.
    """
    if span.start > span.end:
        raise SettingsError(
            f"The span ends ({span.end}) before it begins ({span.start}). Swap the two."
        )
    if not span.drops:
        archive = Archive(job.run.state / "rosters", job.key, ledger.forgotten())
        yield _archived_steps(archive, span, ledger.runs(job.key))
        return
    with scratch_folder(job.run.state) as folder:
        yield _fetched_steps(folder, span, job, ledger)


def _fetched_steps(into: Path, span: Span, job: Job, ledger: Ledger) -> Steps:
    try:
        store = DropStore(span.drops, job.source.pickup.access, patience(job))
        return _steps_in_store(store, into, span, job, ledger)
    except (IncompleteFetchError, LostConnectionError):
        raise  # the next attempt may succeed, with the same settings
    except FetchError as error:
        raise SettingsError(str(error)) from None


def _steps_in_store(store: DropStore, into: Path, span: Span, job: Job, ledger: Ledger) -> Steps:
    if any(MANIFEST.fullmatch(name) for name in store.names):
        archive_files = [
            name for name in store.names if MANIFEST.fullmatch(name) or name.endswith(".parquet")
        ]
        archive = Archive.at(store.fetch(archive_files, into), ledger.forgotten())
        return _archived_steps(archive, span, ledger.runs(job.key))
    changed = {name: store.entries[name].changed for name in store.drops}
    drops = _drops_by_day(changed, span)
    folder = store.fetch([name for _, name in drops], into)
    steps = [_step_of_drop(day, name, folder, job) for day, name in drops]
    return Steps(
        steps,
        folder,
        undated=[name for name in store.drops if not days_in_name(name, span.pattern)],
    )


def _archived_steps(archive: Archive, span: Span, runs: Iterable[Run]) -> Steps:
    days = {run.id: day_of(run) for run in runs}
    # Of several rosters of a day the last one counts.
    found = {day: run for run in archive.runs() if (day := days.get(run) or day_in_name(run))}
    steps = [
        Step(day, run, ALL_ENTITIES)
        for day, run in sorted(found.items())
        if span.start <= day <= span.end
    ]
    _refuse_none(steps, span, sorted(found))
    return Steps(steps, rosters=archive)


def _drops_by_day(changed: Mapping[str, datetime | None], span: Span) -> list[tuple[date, str]]:
    """Return the drops of the span with their days, oldest first.

    `changed` gives the modification time of each drop, if it is known. Raises `SettingsError` for
    drops of one day whose order is not certain, and for a drop with two days.
    """
    found: dict[date, list[str]] = {}
    days_of = {name: sorted(days_in_name(name, span.pattern)) for name in changed}
    for name, days in days_of.items():
        inside = [day for day in days if span.start <= day <= span.end]
        if inside and len(days) > 1:
            raise SettingsError(
                f"{name} has two days in its name, {days[0]} and {days[1]}. "
                "Leave it that of its drop."
            )
        for day in inside:
            found.setdefault(day, []).append(name)
    _refuse_none(found, span, sorted(day for days in days_of.values() for day in days))
    return [
        (day, name)
        for day, names in sorted(found.items())
        for name in in_order(names, changed, span.pattern)
    ]


def _refuse_none(found: object, span: Span, days: list[date]) -> None:
    if found:
        return
    there = (
        f"There are some from {days[0]} to {days[-1]}." if days else "There is nothing with a date."
    )
    where = f"in {without_secrets(span.drops)}" if span.drops else "archived of this feed"
    raise SettingsError(f"Nothing {where} is of {span.start} to {span.end}. {there}")


def _step_of_drop(day: date, name: str, folder: Path, job: Job) -> Step:
    """Return the step of a drop, with the entities of which it is a full snapshot."""
    raw = extract(replace(job, source=_arrived_source(folder / name, job.source)))
    tables = normalize(job.source.layout, raw, job.as_written).tables
    whole = frozenset(entity for entity, table in tables.items() if table.mode == "bulk")
    return Step(day, name, whole, frozenset(tables) - whole)


def _arrived_source(drop: Path, source: JobSource) -> JobSource:
    """Return the source for a drop that has arrived already."""
    return replace(source, drop=drop, rest=None, pickup=source.pickup.over)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


FOLDER = "backfills"


@dataclass(frozen=True)
class BegunStep:
    """A step that was begun."""

    day: str
    source: str
    content: str
    runs: tuple[str, ...] = ()  # the runs that loaded it; the last one counts

    @classmethod
    def of(cls, step: Step, content: str) -> BegunStep:
        """Return a step without runs. It stays the same step as long as its content is the same."""
        return cls(str(step.day), step.source, content)

    @property
    def step(self) -> BegunStep:
        """The same step without its runs, for comparisons."""
        return replace(self, runs=())


class Progress:
    """The steps that a feed's last backfill has begun, in order, in a file of the state folder."""

    def __init__(self, job: Job) -> None:
        self._path = job.run.state / FOLDER / f"{folder_name(job.key)}.json"
        self._begun = _read_progress(self._path)

    def done(self, steps: Sequence[BegunStep], ledger: Ledger, job: Job) -> int:
        """Count the leading steps that the last backfill has loaded.

        There are none if something else was loaded since. The last step is never counted: replaying
        it again is harmless, and shows that the target has it.
        """
        begun = [] if not self._begun or _was_interrupted(self._begun, ledger, job) else self._begun
        pairs = zip(begun, steps[:-1], strict=False)
        count = len(
            list(
                takewhile(
                    lambda pair: pair[0].step == pair[1] and _is_loaded(pair[0], ledger), pairs
                )
            )
        )
        self._begun = begun if count else []
        return count

    def begin(self, place: int, step: BegunStep, run: str) -> None:
        """Record that a run is about to load the step at a place, and forget the steps after it."""
        is_repeated = place < len(self._begun) and self._begun[place].step == step
        before = self._begun[place].runs if is_repeated else ()
        self._begun = [*self._begun[:place], replace(step, runs=(*before, run))]
        write_private(self._path, json.dumps([asdict(begun) for begun in self._begun], indent=1))


class OtherRuns:
    """Checks whether another run has loaded the feed since this backfill began."""

    def __init__(self, job: Job) -> None:
        self._expected = _loading_runs(job)

    def expect(self, run: str) -> None:
        """Count a run as one of this backfill."""
        self._expected.add(run)

    def overtaken(self, job: Job) -> bool:
        """Whether another run has loaded the feed."""
        return bool(_loading_runs(job) - self._expected)


def _loading_runs(job: Job) -> set[str]:
    with Ledger.reading(job.ledger_at) as ledger:  # opened again to see the latest runs
        return {run.id for run in ledger.runs(job.key) if has_loaded(run)}


def _read_progress(path: Path) -> list[BegunStep]:
    """Read the recorded steps; none if the file is missing or damaged."""
    try:
        steps = json.loads(path.read_text())
        return [BegunStep(**one | {"runs": tuple(one["runs"])}) for one in steps]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []


def _is_loaded(begun: BegunStep, ledger: Ledger) -> bool:
    """Whether a step was loaded completely, including approval of what was held."""
    run = ledger.run(begun.runs[-1])
    if run is None or run.status != "held":
        return run is not None and run.status in ("done", "unchanged")
    plan = ledger.plan(run.plan)
    return plan is not None and plan.status == "sent"


def _was_interrupted(begun: Sequence[BegunStep], ledger: Ledger, job: Job) -> bool:
    """Whether something else was loaded since the backfill began."""
    own = {run for one in begun for run in one.runs}
    first = ledger.run(begun[0].runs[0])
    if first is None:
        return True
    since = [run for run in ledger.runs(job.key) if run.started >= first.started]
    return any(has_loaded(run) and not _is_own(run, own, ledger) for run in since)


def _is_own(run: Run, own: set[str], ledger: Ledger) -> bool:
    if run.id in own:
        return True
    plan = ledger.plan(run.approved) if run.approved else None
    return plan is not None and plan.run in own
