"""The reports of `roster status`, and of the flow that sums up all feeds every morning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from connectors.ledger import Plan, Run
from flows.reports.screen import print_indented
from flows.result import DONE, FAILED, HELD, FlowEnd, FlowEndName
from flows.safe_text import public_text
from flows.status import WORST, FeedState, FeedStatus, StateWord, StatusResult, run_totals
from transforms.grammar import count_of

WORDS = {
    "done": "done",
    "unchanged": "nothing had changed",
    "held": "held",
    "failed": "failed",
    "refused": "drop refused",
    "": "crashed",
}
EXIT_WORDS = {DONE: "good", FAILED: "failed", HELD: "held"}
NOTHING = "No run is known in {state} yet: `roster sync DROP` makes the first."
FOREIGN = (
    "Held: {records} that this feed did not send, with other values in the target. See {report}. "
    "If what is in the target is right: roster adopt DROP --again."
)
UNDELIVERED = (
    "Held: too few of these could be delivered: {kinds}. {report} says why, and how to fix it."
)
UNKNOWN = "No run of this feed is known."
PLACEHOLDER = "DROP is the feed file, or its drop: roster status DROP shows the command with it."
INDENT = 2
# The states of a feed that somebody must see to, and those in which something is still to come.
BAD: tuple[StateWord, ...] = ("crashed", "failed", "did not run")
WAITING: tuple[StateWord, ...] = ("held", "stale", "pending")


def print_status(console: Console, result: StatusResult, environment: Mapping[str, str]) -> None:
    """Print the status of feeds. Commands, which people copy, have lines of their own."""
    feeds, state, now = result.feeds, result.state, result.now
    if not feeds:
        console.print(Text(NOTHING.format(state=state)), soft_wrap=True)
    usual = (Path(".roster"), Path(environment.get("ROSTER_STATE", ".roster")))
    options = "" if state in usual else f" --state {state}"
    for feed in feeds:
        stands = EXIT_WORDS[feed.exit_code] if feed.last else "nothing loaded yet"
        console.print(Text(f"{feed.key.feed} into {feed.key.target}: {stands}", style="bold"))
        lines = "\n".join(_lines(feed, state, now, result.most))
        console.print(Padding.indent(Text(lines), INDENT))
        for plan in feed.held:
            _print_plan(console, feed, plan, state, options, now)
    if any(feed.held and not feed.drop for feed in feeds):
        console.print(PLACEHOLDER)


def _lines(feed: FeedStatus, state: Path, now: datetime, most: int) -> Iterator[str]:
    if feed.holder:
        yield (
            f"Running: {feed.holder.run}, since {feed.holder.since}, process "
            f"{feed.holder.process} on {feed.holder.host}."
        )
    shown = [run for run in feed.runs if not feed.is_running(run)][:most]
    if not shown:
        yield UNKNOWN
    for run in shown:
        yield f"{run.started:%Y-%m-%d %H:%M} UTC, {_ago(now - run.started)} ago: {_outcome(run)}"
    if feed.good and feed.good not in shown:
        yield (
            f"Last good run: {feed.good.started:%Y-%m-%d %H:%M} UTC, "
            f"{_ago(now - feed.good.started)} ago ({feed.good.id})."
        )
    elif shown and not feed.good:
        yield "No run of it was good yet."
    if feed.foreign and feed.loaded:
        yield FOREIGN.format(
            records=count_of(feed.foreign, "records"),
            report=state / "runs" / feed.loaded.id / "report.md",
        )
    if feed.undelivered and feed.loaded:
        yield UNDELIVERED.format(
            kinds=", ".join(feed.undelivered), report=state / "runs" / feed.loaded.id / "report.md"
        )
    if feed.stale:
        yield f"Stale: {feed.stale}"


def _outcome(run: Run) -> str:
    code = "" if run.exit_code is None else f" (exit {run.exit_code})"
    counts = ", ".join(f"{count:,} {name}" for name, count in run_totals(run).items())
    return f"{WORDS.get(run.status, run.status)}{code}; {counts}. Run {run.id} of {run.drop}."


def _print_plan(
    console: Console, feed: FeedStatus, plan: Plan, state: Path, options: str, now: datetime
) -> None:
    until = f"can be approved until {plan.expires:%Y-%m-%d %H:%M} UTC"
    then = until if plan.status == "open" else f"was approved by {plan.by}, and not sent to its end"
    console.print(
        Padding.indent(Text(f"Held: plan {plan.id}, {_ago(now - plan.made)} old, {then}."), INDENT)
    )
    for hold in plan.holds:
        print_indented(console, f"{' ' * 2 * INDENT}- {public_text(hold.sentence)}")
    console.print(
        Text(f"{' ' * 2 * INDENT}To read it: {state / 'runs' / plan.run / 'plan.md'}"),
        soft_wrap=True,
    )
    for what, command in _commands(feed, plan, options).items():
        console.print(Text(f"{' ' * 2 * INDENT}To {what} it: {command}"), soft_wrap=True)


def _commands(feed: FeedStatus, plan: Plan, options: str = "") -> dict[str, str]:
    """Return the commands for a plan. `DROP` stands for a drop whose path is not known."""
    commands = {"send": f"roster sync {feed.drop or 'DROP'} --approve {plan.id}{options}"}
    if plan.status != "approved":
        commands["discard"] = f"roster discard {plan.id}{options}"
    return commands


def _ago(span: timedelta) -> str:
    """Write a span of time in the largest unit of which there are at least two."""
    minutes = max(0, int(span.total_seconds() // 60))
    for size, unit in ((60 * 24, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}"
    return count_of(minutes, "minutes")


def status_json(result: StatusResult) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    feeds = [_feed_json(feed, result.state, result.most) for feed in result.feeds]
    return {"status": EXIT_WORDS[result.exit_code], "state": str(result.state), "feeds": feeds}


def _feed_json(feed: FeedStatus, state: Path, most: int) -> dict[str, Any]:
    runs = [_run_json(run) for run in feed.runs if not feed.is_running(run)][:most]
    return {
        "feed": feed.key.feed,
        "target": feed.key.target,
        "status": EXIT_WORDS[feed.exit_code],
        "running": vars(feed.holder) if feed.holder else None,
        "last": _run_json(feed.last) if feed.last else None,
        "good": _run_json(feed.good) if feed.good else None,
        "runs": runs,
        "held": [_plan_json(feed, plan, state) for plan in feed.held],
        "foreign": feed.foreign,
        "undelivered": list(feed.undelivered),
        "stale": feed.stale or None,
    }


def _run_json(run: Run) -> dict[str, Any]:
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
        **run_totals(run),
    }


def _plan_json(feed: FeedStatus, plan: Plan, state: Path) -> dict[str, Any]:
    return {
        "plan": plan.id,
        "run": plan.run,
        "status": plan.status,
        "made": plan.made.isoformat(),
        "expires": plan.expires.isoformat(),
        "holds": [vars(hold) | {"sentence": public_text(hold.sentence)} for hold in plan.holds],
        "file": str(state / "runs" / plan.run / "plan.md"),
        "commands": _commands(feed, plan),
    }


def summary_row(one: FeedState) -> dict[str, Any]:
    """Return a feed as a row of the summary's table."""
    last = one.status.last if one.status else None
    counts = run_totals(last) if last else {}
    started = f"{last.started:%Y-%m-%d %H:%M} UTC" if last else ""
    return {
        "feed": one.feed,
        "stands": one.word,
        "last run": started,
        **counts,
        "next": one.sentence,
    }


def summary_end(standings: Sequence[FeedState]) -> FlowEnd:
    """Sum up the feeds in one line. The end of the flow is as bad as the worst feed."""
    words = Counter(one.word for one in standings)
    text = ", ".join(f"{words[word]} {word}" for word in WORST if words[word])
    bad = ", ".join(one.feed for one in standings if one.word in BAD)
    waits = any(one.word in WAITING for one in standings)
    name: FlowEndName = "Failed" if bad else "Held" if waits else "Completed"
    outcome = {"feeds": [summary_row(one) for one in standings]}
    return FlowEnd(name, f"{text}. {f'See to: {bad}.' if bad else ''}".strip(), outcome)
