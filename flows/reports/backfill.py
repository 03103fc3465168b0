"""The report of a backfill: a row for each day, then what stopped it and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.backfills.run import Backfill
from flows.finding_groups import finding_groups
from flows.reports.counts import count_text, fits_console
from flows.reports.run import failure_causes, on_hold
from flows.reports.screen import print_indented
from flows.result import DONE, FAILED, HELD, REFUSED, SENT, RunResult
from flows.safe_text import public_text
from transforms.replay import Step

TERMS = (*SENT, "held", "waiting", "failed", "rejected")
MOST_NAMES = 12
# The keys of the files that a rehearsal does not keep.
NOT_KEPT: dict[str, Any] = {"rejects": None, "report": None}


def print_backfill(console: Console, found: Backfill) -> None:
    """Print the days, why the replay stopped, and what to do next.

    The days are a table, or lines if the table would be cut off.
    """
    what = "Rehearsal of a backfill" if found.wish.dry_run else "Backfill"
    console.print(
        Text(f"{what} of {found.job.run.feed} into {found.job.load.target.name}", style="bold")
    )
    table = _table(found)
    if fits_console(console, table):
        console.print(table)
    else:
        for line in _day_lines(found):
            console.print(Text(line))
    for line in (*_other_days(found), *_stop_reason(found)):
        print_indented(console, line)


def backfill_lines(found: Backfill) -> list[str]:
    """Return the same report as lines."""
    return [*_day_lines(found), *_other_days(found), *_stop_reason(found)]


def backfill_json(found: Backfill) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    return {
        "district": found.job.run.district,
        "target": found.job.load.target.name,
        "status": found.done[-1][1].status if found.done else "unchanged",
        "dry_run": found.wish.dry_run,
        "steps": [_step_json(step, result, found) for step, result in found.done],
        "before": [str(step.day) for step in found.before],
        "skipped": [str(step.day) for step in found.skipped],
        "left": [str(step.day) for step in found.left],
        "undated": found.undated,
    }


def _step_json(step: Step, result: RunResult, found: Backfill) -> dict[str, Any]:
    outcome = {"date": str(step.day), "source": step.source} | result.as_json()
    return outcome | NOT_KEPT if found.wish.dry_run else outcome


def _table(found: Backfill) -> Table:
    """Make the table of the days, without the terms that no day has."""
    terms = [term for term in TERMS if any(result.total(term) for _, result in found.done)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("day", "of", "status"):
        table.add_column(name, no_wrap=True)
    for term in terms:
        table.add_column(term, justify="right", no_wrap=True)
    for step, result in found.done:
        counts = (count_text(result.total(term)) for term in terms)
        table.add_row(str(step.day), Text(step.source), _status(result, found), *counts)
    return table


def _day_lines(found: Backfill) -> Iterator[str]:
    for step, result in found.done:
        counts = ", ".join(f"{result.total(term):,} {term}" for term in TERMS if result.total(term))
        yield f"{step.day}  {step.source}: {_status(result, found)}; {counts or 'nothing to send'}."


def _status(result: RunResult, found: Backfill) -> str:
    return f"would be {result.status}" if found.wish.dry_run else result.status


def _other_days(found: Backfill) -> Iterator[str]:
    """Yield which drops of the span this backfill did not replay, and why."""
    if found.before:
        yield f"Loaded by this backfill before: {_listed(found.before)}."
    if found.skipped:
        yield (
            f"Left out, since later ones have it all: {_listed(found.skipped)} (--every-step "
            "replays them)."
        )
    if found.undated:
        names = ", ".join(found.undated[:MOST_NAMES]) + (
            ", …" if len(found.undated) > MOST_NAMES else ""
        )
        yield f"Left out, since their names say no day: {names}."


def _stop_reason(found: Backfill) -> Iterator[str]:
    """Yield why the last day that was replayed is not done, and what to do about it."""
    if not found.done or found.exit_code == DONE:
        return
    step, result = found.done[-1]
    reasons = {FAILED: _failure, HELD: _hold, REFUSED: _refusal}
    yield from reasons[result.exit_code](step, result, found)
    if found.left:
        yield (
            f"Not replayed: {_listed(found.left)}. Deal with {step.day} first, then run "
            "the same command again: it continues there."
        )


def _failure(step: Step, result: RunResult, _found: Backfill) -> Iterator[str]:
    yield f"{step.day} is not finished{': ' + public_text(result.error) if result.error else '.'}"
    yield from failure_causes(result)
    yield "Run the same again; nothing is sent twice."


def _hold(step: Step, result: RunResult, found: Backfill) -> Iterator[str]:
    if result.records.height:
        held = on_hold(result.records.height, would=found.wish.dry_run, of=f" of {step.day}")
        yield f"Held: {held} (plan {result.plan}):"
    yield from (f"  - {public_text(hold.sentence)}" for hold in result.holds[:MOST_NAMES])
    yield from failure_causes(result)
    if result.waits:
        yield f"Plan {result.plan} of run {result.waits} still waits."
    if result.plan and not found.wish.dry_run:
        if not result.waits:
            yield f"Read {result.folder / 'plan.md'} (with names: plan.csv)."
        yield f"To send exactly this: roster sync {found.drop} --approve {result.plan}"


def _refusal(step: Step, result: RunResult, _found: Backfill) -> Iterator[str]:
    yield f"Refused: nothing of {step.source} was sent. Correct it, or take it away."
    for group in finding_groups(result.findings):
        if group.severity == "fatal":
            yield f"  - {group.rule.code}: {group.sentence}"
            yield from (f"    {example}" for example in group.examples)


def _listed(steps: Sequence[Step]) -> str:
    return ", ".join(str(step.day) for step in steps)
