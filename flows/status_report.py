"""How `roster status` is told: in lines that fit a narrow terminal, and as one object for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from connectors.ledger import Plan, Run
from flows.feeds.status import FeedStatus
from flows.result import DONE, FAILED, HELD, SENT
from flows.showing import shown

WORDS = {
    "done": "done", "unchanged": "nothing had changed", "held": "held", "failed": "failed",
    "refused": "drop refused", "": "broke off before it could say how",
}  # fmt: skip
STANDS = {DONE: "good", FAILED: "failed", HELD: "held"}
NOTHING = "No run is known in {state} yet: `roster sync DROP` makes the first."
FOREIGN = (
    "Held: {count:,} records that this feed has not sent, and that the target has otherwise. {report} names them. "
    "If they are the district's: roster adopt DROP --again."
)
UNDELIVERED = "Held: too many of these were rejected: {kinds}. {report} says why, and what mends it."
UNKNOWN = "No run of this feed is known."
PLACEHOLDER = "DROP is the feed's file, or its drop: roster status DROP has it in its place."
INDENT = 2


def show(console: Console, feeds: Sequence[FeedStatus], state: Path, environment: Mapping[str, str], now: datetime, most: int) -> None:  # fmt: skip
    """Print how feeds stand, up to `most` runs of each; commands stand in lines of their own, to be copied."""
    if not feeds:
        console.print(Text(NOTHING.format(state=state)), soft_wrap=True)
    options = (
        "" if state in (Path(".roster"), Path(environment.get("ROSTER_STATE", ".roster"))) else f" --state {state}"
    )
    for feed in feeds:
        stands = STANDS[feed.exit_code] if feed.last else "nothing loaded yet"
        console.print(Text(f"{feed.key.feed} into {feed.key.target}: {stands}", style="bold"))
        for line in _lines(feed, state, now, most):
            console.print(Padding.indent(Text(line), INDENT))
        for plan in feed.held:
            _show_plan(console, feed, plan, state, options, now)
    if any(feed.held and not feed.drop for feed in feeds):
        console.print(PLACEHOLDER)


def _lines(feed: FeedStatus, state: Path, now: datetime, most: int) -> Iterator[str]:
    if feed.holder:
        yield f"Running: {feed.holder.run}, since {feed.holder.since}, process {feed.holder.process} on {feed.holder.host}."
    shown = [run for run in feed.runs if not feed.is_running(run)][:most]
    if not shown:
        yield UNKNOWN
    for run in shown:
        yield f"{run.started:%Y-%m-%d %H:%M} UTC, {_ago(now - run.started)} ago: {_outcome(run)}"
    if feed.good and feed.good not in shown:
        yield f"Last good run: {feed.good.started:%Y-%m-%d %H:%M} UTC, {_ago(now - feed.good.started)} ago ({feed.good.id})."
    elif shown and not feed.good:
        yield "No run of it was good yet."
    if feed.foreign and feed.loaded:
        yield FOREIGN.format(count=feed.foreign, report=state / "runs" / feed.loaded.id / "report.md")
    if feed.undelivered and feed.loaded:
        yield UNDELIVERED.format(
            kinds=", ".join(feed.undelivered), report=state / "runs" / feed.loaded.id / "report.md"
        )
    if feed.stale:
        yield f"Stale: {feed.stale}"


def _outcome(run: Run) -> str:
    code = "" if run.exit_code is None else f" (exit {run.exit_code})"
    counts = ", ".join(f"{count:,} {name}" for name, count in totals(run).items())
    return f"{WORDS.get(run.status, run.status)}{code}; {counts}. Run {run.id} of {run.drop}."


def _show_plan(console: Console, feed: FeedStatus, plan: Plan, state: Path, options: str, now: datetime) -> None:
    until = f"can be approved until {plan.expires:%Y-%m-%d %H:%M} UTC"
    then = until if plan.status == "open" else f"was approved by {plan.by}, and not sent to its end"
    console.print(Padding.indent(Text(f"Held: plan {plan.id}, {_ago(now - plan.made)} old, {then}."), INDENT))
    for hold in plan.holds:
        console.print(Padding.indent(Text(f"- {shown(hold.sentence)}"), 2 * INDENT))
    console.print(Text(f"{' ' * 2 * INDENT}To read it: {state / 'runs' / plan.run / 'plan.md'}"), soft_wrap=True)
    for what, command in _commands(feed, plan, options).items():
        console.print(Text(f"{' ' * 2 * INDENT}To {what} it: {command}"), soft_wrap=True)


def _commands(feed: FeedStatus, plan: Plan, options: str = "") -> dict[str, str]:
    """What to type; `DROP` stands for the drop or the feed's file where nobody has named it."""
    send = {"send": f"roster sync {feed.drop or 'DROP'} --approve {plan.id}{options}"}
    return send if plan.status == "approved" else send | {"discard": f"roster discard {plan.id}{options}"}


def _ago(span: timedelta) -> str:
    """Say how long ago something was, in the largest unit of which there are two at least."""
    minutes = max(0, int(span.total_seconds() // 60))
    for size, unit in ((60 * 24, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}"
    return f"{minutes} minute{'s' if minutes != 1 else ''}"


def totals(run: Run) -> dict[str, int]:
    """How many records a run sent, rejected and held, of all entities."""
    terms = {"sent": SENT, "rejected": ("rejected",), "held": ("held",)}
    return {
        name: sum(counts.get(term, 0) for counts in run.counts.values() for term in wanted)
        for name, wanted in terms.items()
    }


def as_object(feeds: Sequence[FeedStatus], state: Path, code: int, most: int) -> dict[str, Any]:
    """Give the object that `--json` prints."""
    return {"status": STANDS[code], "state": str(state), "feeds": [_feed(feed, state, most) for feed in feeds]}


def _feed(feed: FeedStatus, state: Path, most: int) -> dict[str, Any]:
    runs = [_run(run) for run in feed.runs if not feed.is_running(run)][:most]
    return {
        "feed": feed.key.feed,
        "target": feed.key.target,
        "status": STANDS[feed.exit_code],
        "running": vars(feed.holder) if feed.holder else None,
        "last": _run(feed.last) if feed.last else None,
        "good": _run(feed.good) if feed.good else None,
        "runs": runs,
        "held": [_plan(feed, plan, state) for plan in feed.held],
        "foreign": feed.foreign,
        "undelivered": list(feed.undelivered),
        "stale": feed.stale or None,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "command": run.command,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "status": run.status or "broken",
        "exit": run.exit_code,
        "drop": run.drop,
        "plan": run.plan or None,
        "approved": run.approved or None,
        **totals(run),
    }


def _plan(feed: FeedStatus, plan: Plan, state: Path) -> dict[str, Any]:
    return {
        "plan": plan.id,
        "run": plan.run,
        "status": plan.status,
        "made": plan.made.isoformat(),
        "expires": plan.expires.isoformat(),
        "holds": [vars(hold) | {"sentence": shown(hold.sentence)} for hold in plan.holds],
        "file": str(state / "runs" / plan.run / "plan.md"),
        "commands": _commands(feed, plan),
    }
