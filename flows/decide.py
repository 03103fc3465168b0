"""A person decides on a plan that waits: approved, it is sent; rejected, it is discarded; undecided, it goes on waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from connectors.ledger import Ledger, Plan
from flows.errors import SettingsError
from flows.feeds.keys import key_of
from flows.ledgers import ledger_location
from flows.make_job import current_user
from flows.options import Options
from flows.plans import title
from flows.result import DONE, FlowEnd
from flows.safe_text import public_text


@dataclass(frozen=True)
class DecisionRequest:
    """What a person said, who it was and why."""

    decision: Literal["approve", "reject"]
    by: str
    note: str = ""


# Asks a person about a plan, shown as text (`plan.md`, without names); None if nobody decided in time.
Ask = Callable[[Plan, str], DecisionRequest | None]
# Sends a plan as it was approved, and says how that ended.
Send = Callable[[Options], FlowEnd]


def decide(
    plan: str, options: Options, environment: Mapping[str, str], ask: Ask, send: Send
) -> FlowEnd:
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
        return FlowEnd(
            "Rejected", f"Plan {found.id} was rejected by {decision.by}: nothing of it was sent."
        )
    return send(
        replace(options, told={"approve": found.id, "by": decision.by, "note": decision.note})
    )


def waiting(plan: str, options: Options, environment: Mapping[str, str]) -> Plan:
    """Find a plan of a feed that can be approved. Raises `SettingsError`."""
    key, now = key_of(options.drop, environment), datetime.now(UTC)
    with Ledger.reading(ledger_location(options.state, environment)) as ledger:
        # One whose approval was not brought to its end is approved once more.
        plans = [
            one
            for one in ledger.plans(key)
            if one.status == "approved" or (one.status == "open" and one.expires > now)
        ]
    there = [one for one in plans if plan in ("", one.id)]
    if len(there) == 1:
        return there[0]
    wanted = (
        f"There is no plan {plan!r} of {options.drop} that waits."
        if plan
        else "Which plan is meant is not said."
    )
    ids = (
        f"Waiting: {', '.join(one.id for one in plans)}."
        if plans
        else f"No plan of {options.drop} waits."
    )
    raise SettingsError(
        f"{wanted} {ids} `roster status {options.drop}` says what is held."
        if plan or plans
        else ids
    )


def _told(plan: Plan, options: Options) -> str:
    """What the plan would do: the page that the run wrote, or only why it waits, if that was on another machine."""
    page = options.state / "runs" / plan.run / "plan.md"
    if page.is_file() and (text := page.read_text("utf-8")).startswith(title(plan.id, plan.run)):
        return public_text(text)
    return public_text(
        "\n".join((title(plan.id, plan.run), "", *(f"- {hold.sentence}" for hold in plan.holds)))
    )


DECIDED = {
    "approved": "was approved by {by} on {day}, so that it cannot be discarded. If its sending broke off: roster sync DROP --approve {id}",
    "sent": "was sent on {day}, as {by} had approved. To undo that: roster restore RUN DROP",
    "replaced": "was replaced by a newer one of its feed, and cannot be approved any more",
    "discarded": "was discarded by {by} on {day} already",
    "expired": "expired on {expires}, and cannot be approved any more",
}


@dataclass(frozen=True)
class DiscardResult:
    """The plan that was let go of."""

    plan: Plan
    exit_code: int = DONE


def discard(
    plan: str, state: Path, environment: Mapping[str, str], by: str, note: str
) -> DiscardResult:
    """Discard a plan, and keep in the ledger who did it, when and why.

    Raises `SettingsError` if there is no such plan, or it is decided already.
    """
    now, by = datetime.now(UTC), by or current_user()
    with Ledger.reading(ledger_location(state, environment)) as ledger:
        found = ledger.plan(plan)
        waiting = [one for one in ledger.plans(status="open") if one.expires > now]
        if found is None:
            raise SettingsError(f"There is no plan {plan!r} in {state}. {_waiting(waiting)}")
        if not ledger.decide(plan, "discarded", by=by, note=note, at=now):
            raise SettingsError(
                f"Plan {plan} {_decided(ledger.plan(plan) or found)}. {_waiting(waiting)}"
            )
    return DiscardResult(found)


def _decided(plan: Plan) -> str:
    day = f"{plan.decided:%Y-%m-%d}" if plan.decided else "an earlier day"
    by = plan.by or "nobody"
    return DECIDED[plan.status].format(
        id=plan.id, by=by, day=day, expires=f"{plan.expires:%Y-%m-%d}"
    )


def _waiting(plans: list[Plan]) -> str:
    if not plans:
        return "No plan waits."
    return f"Waiting: {', '.join(f'{one.id} (feed {one.key.feed} into {one.key.target})' for one in plans)}."
