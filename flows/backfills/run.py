"""`roster backfill`: replays a span of days, oldest first, each as a run of its own.

It replays dated drops, or the feed's archived rosters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date

from connectors.ledger import Ledger
from flows.backfills.steps import BegunStep, OtherRuns, Progress, Span, Steps, find_steps
from flows.dates import DATE_IN_NAME
from flows.errors import SettingsError
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.pipeline import Pipeline
from flows.rehearse import rehearsal
from flows.result import DONE, RunResult
from flows.run_history import newest_roster_day
from transforms.replay import Step, needed_steps

# Runs a step by a pipeline, or as a drop without one, and writes its report.
Perform = Callable[[Job, Pipeline | None], RunResult]
OLDER_MESSAGE = (
    "The target holds what is of {newest}, and {first} would be replayed: "
    "older records would replace newer ones. Begin the span later, or add --force if "
    "that is what you want."
)
OVERTAKEN_MESSAGE = (
    "Another run has loaded this feed since the backfill began, and {day} would replace it "
    "with older records. The days before were replayed. Run the backfill again: it checks "
    "again what is newer."
)


@dataclass(frozen=True)
class BackfillRequest:
    """A request to replay a span of days."""

    span: Span
    force: bool = False  # older data may overwrite newer data
    dry_run: bool = False
    every_step: bool = False  # replay also the days that later ones make unnecessary


@dataclass
class Backfill:
    """The result of each day that was replayed."""

    job: Job
    wish: BackfillRequest
    drop: str  # the drop or the feed file that names the feed
    done: list[tuple[Step, RunResult]] = field(default_factory=list)
    # the remaining days, after one that was held, failed or was refused
    left: list[Step] = field(default_factory=list)
    # days that an earlier attempt of this backfill has loaded
    before: list[Step] = field(default_factory=list)
    # days that later ones make unnecessary
    skipped: list[Step] = field(default_factory=list)
    # drops without a day in their names
    undated: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code of the last day that was replayed."""
        return self.done[-1][1].exit_code if self.done else DONE


def backfill_request(
    options: Options,
    start: str,
    end: str,
    drops: str = "",
    *,
    force: bool,
    dry_run: bool,
    every_step: bool,
) -> BackfillRequest:
    """Make a request from the first and the last day (ISO 8601) and the options.

    Raises `SettingsError` for a day that is no date.
    """
    span = Span(_day("first", start), _day("last", end), drops, _day_pattern(options))
    return BackfillRequest(span, force, dry_run, every_step)


def _day(which: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"The {which} day is {text!r}; expected a date such as 2026-11-24."
        ) from None


def _day_pattern(options: Options) -> re.Pattern[str]:
    """Return the feed's pattern for the days in names of drops."""
    if options.drop.suffix.lower() != ".toml":
        return DATE_IN_NAME
    # The models of feed files take a while to build, and a bare drop does not need them.
    from flows.feeds.feed import read_feed

    pattern = read_feed(options.drop).drop_date_pattern
    return re.compile(pattern) if pattern else DATE_IN_NAME


def run_backfill(
    options: Options,
    request: BackfillRequest,
    environment: Mapping[str, str],
    perform: Perform,
    begun: Callable[[Backfill], None] = lambda _: None,
) -> Backfill:
    """Replay day after day, up to the first one that is held, fails or is refused.

    A dry run rehearses each day with what the days before it would have left. `begun` gets the
    result before the first day is replayed. Raises `SettingsError` if there is nothing to replay,
    if newer data would be overwritten, or if another run has loaded the feed meanwhile.
    """
    job = make_job(options, environment)
    job = replace(job, source=replace(job.source, max_age_hours=None, older=request.force))
    with (
        Ledger.reading(job.ledger_at) as ledger,
        find_steps(request.span, job, ledger) as available,
    ):
        steps = list(available.steps) if request.every_step else needed_steps(available.steps)
        progress, meanwhile = Progress(job), OtherRuns(job)
        marks = [BegunStep.of(step, available.content(step)) for step in steps]
        count = progress.done(marks, ledger, job)
        if not request.force:
            _refuse_older(steps[count], ledger, job)
        skipped = [step for step in available.steps if step not in steps]
        result = Backfill(
            job,
            request,
            str(options.drop),
            left=steps[count:],
            before=steps[:count],
            skipped=skipped,
            undated=available.undated,
        )
        begun(result)
        with rehearsal(job) if request.dry_run else nullcontext(job) as place:
            while result.left and result.exit_code == DONE:
                if meanwhile.overtaken(job):
                    raise SettingsError(OVERTAKEN_MESSAGE.format(day=result.left[0].day))
                run = _replay_next(
                    result, available, place, perform, None if request.dry_run else progress, marks
                )
                meanwhile.expect(run)
    return result


def _refuse_older(first: Step, ledger: Ledger, job: Job) -> None:
    newest = newest_roster_day(ledger.runs(job.key))
    if newest and first.day < newest:
        raise SettingsError(OLDER_MESSAGE.format(newest=newest, first=first.day))


def _replay_next(
    result: Backfill,
    available: Steps,
    job: Job,
    perform: Perform,
    progress: Progress | None,
    marks: list[BegunStep],
) -> str:
    """Replay the first remaining step, and return its run's id."""
    step = result.left[0]
    step_job, pipeline = available.run_of(step, _with_rosters(job, len(result.left)))
    if progress:
        place = len(marks) - len(result.left)
        progress.begin(place, marks[place], step_job.run.id)
    step_result = perform(step_job, pipeline)
    del result.left[0]
    result.done.append((step, step_result))
    return step_job.run.id


def _with_rosters(job: Job, steps: int) -> Job:
    """Keep more archived rosters: each step adds one, and none of the remaining may be deleted."""
    keep = replace(job.run.keep, rosters=job.run.keep.rosters + steps - 1)
    return replace(job, run=replace(job.run, keep=keep))
