"""`roster backfill`: replays drops or archived rosters of a span of days, the oldest first, each as a run of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date

from connectors.ledger import Ledger
from flows.backfills.steps import Begun, Meanwhile, Progress, Span, Steps, steps_of
from flows.dates import DATED
from flows.errors import SettingsError
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.pipeline import Pipeline
from flows.rehearse import rehearsal
from flows.result import DONE, RunResult
from flows.run_history import newest_of
from transforms.replay import Step, needed

# Runs one step, by the pipeline that is given, or as a drop if there is none, and writes what it leaves for people.
Perform = Callable[[Job, Pipeline | None], RunResult]
OLDER = (
    "The target holds what is of {newest}, and {first} would be replayed: "
    "older truth would go over newer. Let the span begin later, or say --force if that is meant."
)

OVERTAKEN = (
    "Another run has loaded this feed since the backfill began, and {day} would put older truth "
    "over it. The days before were replayed. Run the backfill again: "
    "it judges anew what is newer."
)


def wish_of(
    options: Options,
    start: str,
    end: str,
    drops: str = "",
    *,
    force: bool,
    dry_run: bool,
    every_step: bool,
) -> BackfillRequest:
    """Say what is meant by two days in ISO 8601 and the rest. Raises `SettingsError`."""
    span = Span(_day("first", start), _day("last", end), drops, _pattern(options))
    return BackfillRequest(span, force, dry_run, every_step)


def _day(which: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"The {which} day is {text!r}; expected a date such as 2026-11-24."
        ) from None


def _pattern(options: Options) -> re.Pattern[str]:
    """How the names of drops say their day: as the feed's file has it."""
    if options.drop.suffix.lower() != ".toml":
        return DATED
    from flows.feeds.feed import read_feed

    said = read_feed(options.drop).drop_date_pattern
    return re.compile(said) if said else DATED


def backfilled(
    options: Options,
    wish: BackfillRequest,
    environment: Mapping[str, str],
    perform: Perform,
    begun: Callable[[Backfill], None] = lambda _: None,
) -> Backfill:
    """Replay day after day, up to the first one that is held, fails or is refused. Raises `SettingsError`.

    A dry run rehearses each day with what the days before it would have left. `begun` is given what will be the result.
    """
    job = make_job(options, environment)
    job = replace(job, source=replace(job.source, max_age_hours=None, older=wish.force))
    with Ledger.reading(job.ledger_at) as ledger, steps_of(wish.span, job, ledger) as found:
        chosen = list(found.steps) if wish.every_step else needed(found.steps)
        progress, meanwhile = Progress(job), Meanwhile(job)
        marks = [Begun.of(step, found.content(step)) for step in chosen]
        count = progress.done(marks, ledger, job)
        if not wish.force:
            _refuse_older(chosen[count], ledger, job)
        skipped = [step for step in found.steps if step not in chosen]
        result = Backfill(
            job,
            wish,
            str(options.drop),
            left=chosen[count:],
            before=chosen[:count],
            skipped=skipped,
            undated=found.undated,
        )
        begun(result)
        with rehearsal(job) if wish.dry_run else nullcontext(job) as place:
            while result.left and result.exit_code == DONE:
                if meanwhile.overtaken(job):
                    raise SettingsError(OVERTAKEN.format(day=result.left[0].day))
                run = _replay_next(
                    result, found, place, perform, None if wish.dry_run else progress, marks
                )
                meanwhile.expect(run)
    return result


def _refuse_older(first: Step, ledger: Ledger, job: Job) -> None:
    newest = newest_of(ledger.runs(job.key))
    if newest and first.day < newest:
        raise SettingsError(OLDER.format(newest=newest, first=first.day))


def _replay_next(
    result: Backfill,
    found: Steps,
    job: Job,
    perform: Perform,
    progress: Progress | None,
    marks: list[Begun],
) -> str:
    """Replay the first step that is left; give the run's id."""
    step = result.left[0]
    own, pipeline = found.run_of(step, _with_rosters(job, len(result.left)))
    if progress:
        place = len(marks) - len(result.left)
        progress.begin(place, marks[place], own.run.id)
    came = perform(own, pipeline)
    del result.left[0]
    result.done.append((step, came))
    return own.run.id


def _with_rosters(job: Job, steps: int) -> Job:
    """Keep what is still to be replayed, while rosters are added."""
    keep = replace(job.run.keep, rosters=job.run.keep.rosters + steps - 1)
    return replace(job, run=replace(job.run, keep=keep))


@dataclass(frozen=True)
class BackfillRequest:
    """What is to be replayed: a span of days; `force` puts older truth over newer, `every_step` replays each day."""

    span: Span
    force: bool = False
    dry_run: bool = False
    every_step: bool = False


@dataclass
class Backfill:
    """What came of each day that was replayed. `drop` is what the feed is known by.

    `left` are the days after one that was held or failed, `before` those that this backfill had loaded when it ended
    so, `skipped` those that later ones make needless, `undated` drops whose names say no day.
    """

    job: Job
    wish: BackfillRequest
    drop: str
    done: list[tuple[Step, RunResult]] = field(default_factory=list)
    left: list[Step] = field(default_factory=list)
    before: list[Step] = field(default_factory=list)
    skipped: list[Step] = field(default_factory=list)
    undated: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code of the last day that was replayed."""
        return self.done[-1][1].exit_code if self.done else DONE
