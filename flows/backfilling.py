"""`roster backfill`: replays drops or archived rosters of a span of days, the oldest first, each as a run of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from rich.console import Console
from rich.text import Text

from connectors.ledger import Ledger
from flows.backfill_steps import Span, Steps, steps_of
from flows.dates import DATED
from flows.job import Job, new_run
from flows.past import newest_of
from flows.problems import SettingsError
from flows.progress import Bars
from flows.recording import Line
from flows.rehearsing import rehearsal
from flows.restoring import restored_line
from flows.result import DONE, SENT, Result
from flows.running import Options, execute, finish, job_of
from transforms.replay import Step, needed

# Runs one step, by the line that is given, or as a drop if there is none.
Perform = Callable[[Job, Line | None], Result]
OLDER = (
    "The target holds what is of {newest}, and the span ends with {end}: older truth would go over newer. "
    "Let the span end with {newest} or later, or say --force if that is meant."
)


@dataclass(frozen=True)
class Wish:
    """What is to be replayed: a span of days; `force` puts older truth over newer, `every_step` replays each day."""

    span: Span
    force: bool = False
    dry_run: bool = False
    every_step: bool = False


@dataclass
class Backfill:
    """What came of each day that was replayed; `left` are the days after one that was held or failed."""

    job: Job
    wish: Wish
    done: list[tuple[Step, Result]] = field(default_factory=list)
    left: list[Step] = field(default_factory=list)
    skipped: list[Step] = field(default_factory=list)
    undated: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code of the last day that was replayed."""
        return self.done[-1][1].exit_code if self.done else DONE

    def lines(self) -> Iterator[str]:
        """Say day by day what was sent, or would be, and what is next."""
        for step, result in self.done:
            yield f"{step.day}  {step.source}: {_told(result, dry_run=self.wish.dry_run)}"
        if self.skipped:
            yield f"Left out, since later ones have it all: {', '.join(str(step.day) for step in self.skipped)} (--every-step replays them)."
        if self.undated:
            yield f"Left out, since their names say no day: {', '.join(self.undated)}."
        if self.left:
            yield f"Not replayed: {', '.join(str(step.day) for step in self.left)}. See to {self.done[-1][0].day} first, then run the same again."

    def as_json(self) -> dict[str, Any]:
        """Give the object that `--json` prints."""
        return {
            "district": self.job.district,
            "target": self.job.target.name,
            "status": self.done[-1][1].status if self.done else "unchanged",
            "dry_run": self.wish.dry_run,
            "steps": [{"date": str(step.day), "source": step.source} | result.as_json() for step, result in self.done],
            "left": [str(step.day) for step in self.left],
        }


def wish_of(
    options: Options, start: str, end: str, drops: str = "", *, force: bool, dry_run: bool, every_step: bool
) -> Wish:
    """Say what is meant by two days in ISO 8601 and the rest. Raises `SettingsError`."""
    span = Span(_day("first", start), _day("last", end), drops, _pattern(options))
    return Wish(span, force, dry_run, every_step)


def _day(which: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"The {which} day is {text!r}; expected a date such as 2026-11-24.") from None


def _pattern(options: Options) -> re.Pattern[str]:
    """How the names of drops say their day: as the feed's file has it."""
    if options.drop.suffix.lower() != ".toml":
        return DATED
    from flows.settings import read_feed

    said = read_feed(options.drop).drop_date_pattern
    return re.compile(said) if said else DATED


def run_backfill(options: Options, wish: Wish, environment: Mapping[str, str]) -> int:
    """Replay, tell, and give the exit code."""
    console = Console(stderr=options.json, highlight=False)

    def perform(job: Job, line: Line | None) -> Result:
        result = execute(job, Bars(console), line)
        if not job.rehearsal:
            finish(result, str(job.drop))
        return result

    found = backfilled(options, wish, environment, perform)
    with suppress(BrokenPipeError):
        console.print(Text(f"{'Rehearsal of a backfill' if wish.dry_run else 'Backfill'} of {found.job.feed} into {found.job.target.name}", style="bold"))  # fmt: skip
        for line in found.lines():
            console.print(Text(line))
        if options.json:
            print(json.dumps(found.as_json()), flush=True)
    return found.exit_code


def backfilled(options: Options, wish: Wish, environment: Mapping[str, str], perform: Perform) -> Backfill:
    """Replay day after day, up to the first one that is held, fails or is refused. Raises `SettingsError`.

    A dry run rehearses each day with what the days before it would have left.
    """
    job = replace(job_of(options, environment), max_age_hours=None, older=wish.force)
    with Ledger.reading(job.ledger_at) as ledger, steps_of(wish.span, job, ledger) as found:
        if not wish.force:
            _refuse_older(found.steps, ledger, job)
        chosen = found.steps if wish.every_step else needed(found.steps)
        skipped = [step for step in found.steps if step not in chosen]
        result = Backfill(job, wish, left=list(chosen), skipped=skipped, undated=found.undated)
        with rehearsal(job) if wish.dry_run else nullcontext(job) as place:
            while result.left and result.exit_code == DONE:
                step = result.left.pop(0)
                result.done.append((step, _replayed(step, found, place, perform)))
    return result


def _replayed(step: Step, found: Steps, job: Job, perform: Perform) -> Result:
    own = replace(job, run=new_run(), dated=step.day)
    if found.folder:
        return perform(replace(own, drop=found.folder / step.source), None)
    return perform(own, partial(restored_line, run=step.source, rosters=found.rosters))


def _refuse_older(steps: list[Step], ledger: Ledger, job: Job) -> None:
    newest = newest_of(ledger.runs(job.key))
    if newest and steps[-1].day < newest:
        raise SettingsError(OLDER.format(newest=newest, end=steps[-1].day))


def _told(result: Result, *, dry_run: bool) -> str:
    counts = ", ".join(f"{result.total(term):,} {term}" for term in (*SENT, "held", "rejected") if result.total(term))
    word = "would be " if dry_run else ""
    return f"{word}{result.status}; {counts or 'nothing to send'}. {result.error}".strip()
