"""A person decides on a plan that waits: approved, it is sent; rejected, it is discarded; undecided, it goes on waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from connectors.ledger import Ledger, Plan
from flows.discarding import discard
from flows.errors import SettingsError
from flows.feeds.keys import key_of
from flows.ledgers import ledger_of
from flows.options import Options
from flows.plans import title
from flows.result import FlowEnd
from flows.safe_text import public_text


@dataclass(frozen=True)
class Decision:
    """What a person said, who it was and why."""

    decision: Literal["approve", "reject"]
    by: str
    note: str = ""


# Asks a person about a plan, shown as text (`plan.md`, without names); None if nobody decided in time.
Ask = Callable[[Plan, str], Decision | None]
# Sends a plan as it was approved, and says how that ended.
Send = Callable[[Options], FlowEnd]


def decide(plan: str, options: Options, environment: Mapping[str, str], ask: Ask, send: Send) -> FlowEnd:
    """Ask about a plan of a feed (blank: the one that waits), and do what was decided.

    The command line's `--approve` and `discard` are other doors to the same plan. Raises `SettingsError` if
    no such plan waits.
    """
    found = waiting(plan, options, environment)
    decision = ask(found, _told(found, options))
    if decision is None:
        until = f"Plan {found.id} can be approved until {found.expires:%Y-%m-%d %H:%M} UTC."
        return FlowEnd("Timed out", f"Nobody decided in time, and nothing was sent. {until}")
    if decision.decision == "reject":
        discard(found.id, options.state, environment, decision.by, decision.note)
        return FlowEnd("Rejected", f"Plan {found.id} was rejected by {decision.by}: nothing of it was sent.")
    return send(replace(options, told={"approve": found.id, "by": decision.by, "note": decision.note}))


def waiting(plan: str, options: Options, environment: Mapping[str, str]) -> Plan:
    """Find a plan of a feed that can be approved. Raises `SettingsError`."""
    key, now = key_of(options.drop, environment), datetime.now(UTC)
    with Ledger.reading(ledger_of(options.state, environment)) as ledger:
        # One whose approval was not brought to its end is approved once more.
        plans = [
            one for one in ledger.plans(key) if one.status == "approved" or (one.status == "open" and one.expires > now)
        ]
    there = [one for one in plans if plan in ("", one.id)]
    if len(there) == 1:
        return there[0]
    wanted = f"There is no plan {plan!r} of {options.drop} that waits." if plan else "Which plan is meant is not said."
    ids = f"Waiting: {', '.join(one.id for one in plans)}." if plans else f"No plan of {options.drop} waits."
    raise SettingsError(f"{wanted} {ids} `roster status {options.drop}` says what is held." if plan or plans else ids)


def _told(plan: Plan, options: Options) -> str:
    """What the plan would do: the page that the run wrote, or only why it waits, if that was on another machine."""
    page = options.state / "runs" / plan.run / "plan.md"
    if page.is_file() and (text := page.read_text("utf-8")).startswith(title(plan.id, plan.run)):
        return public_text(text)
    return public_text("\n".join((title(plan.id, plan.run), "", *(f"- {hold.sentence}" for hold in plan.holds))))
