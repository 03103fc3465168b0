"""What a person decides about a plan: approve and send it, or discard it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from connectors.ledger import Ledger, Plan
from flows.errors import SettingsError
from flows.feeds.keys import feed_key
from flows.ledgers import ledger_location
from flows.make_job import current_user
from flows.options import Options
from flows.plans import page_title
from flows.result import DONE, FlowEnd
from flows.safe_text import public_text


@dataclass(frozen=True)
class DecisionRequest:
    """A decision, as a person made it."""

    decision: Literal["approve", "reject"]
    by: str
    note: str = ""


# Asks a person about a plan. The text is `plan.md`, without names. None: nobody decided in time.
Ask = Callable[[Plan, str], DecisionRequest | None]
# Sends an approved plan, and returns how that ended.
Send = Callable[[Options], FlowEnd]

# Why a plan cannot be discarded, by its status.
WHY_DECIDED = {
    "approved": "was approved by {by} on {day}, so that it cannot be discarded. "
    "If sending it stopped early: roster sync DROP --approve {id}",
    "sent": "was sent on {day}, as {by} had approved. To undo that: roster restore RUN DROP",
    "replaced": "was replaced by a newer one of its feed, and can no longer be approved",
    "discarded": "was discarded by {by} on {day} already",
    "expired": "expired on {expires}, and can no longer be approved",
}


def decide(
    plan: str, options: Options, environment: Mapping[str, str], ask: Ask, send: Send
) -> FlowEnd:
    """Ask a person about a plan of a feed, and carry out the decision.

    If `plan` is blank, the feed must have only one plan that waits. The command line has
    `--approve` and `discard` for the same. Raises `SettingsError` if no such plan waits.
    """
    found = find_waiting_plan(plan, options, environment)
    decision = ask(found, _page(found, options))
    if decision is None:
        until = f"Plan {found.id} can be approved until {found.expires:%Y-%m-%d %H:%M} UTC."
        return FlowEnd("Timed out", f"Nobody decided in time, and nothing was sent. {until}")
    if decision.decision == "reject":
        discard(found.id, options.state, environment, decision.by, decision.note)
        message = f"Plan {found.id} was rejected by {decision.by}: nothing of it was sent."
        return FlowEnd("Rejected", message)
    return send(
        replace(options, told={"approve": found.id, "by": decision.by, "note": decision.note})
    )


def find_waiting_plan(plan: str, options: Options, environment: Mapping[str, str]) -> Plan:
    """Return the plan of a feed that can be approved. Raises `SettingsError` if there is none."""
    key, now = feed_key(options.drop, environment), datetime.now(UTC)
    with Ledger.reading(ledger_location(options.state, environment)) as ledger:
        # An approved plan has not been sent completely. It can be approved again.
        plans = [
            one
            for one in ledger.plans(key)
            if one.status == "approved" or (one.status == "open" and one.expires > now)
        ]
    matches = [one for one in plans if plan in ("", one.id)]
    if len(matches) == 1:
        return matches[0]
    ids = f"No plan of {options.drop} waits."
    if plans:
        ids = f"Waiting: {', '.join(one.id for one in plans)}."
    if plan:
        wanted = f"There is no plan {plan!r} of {options.drop} that waits."
    elif plans:
        wanted = "Name the plan."
    else:
        raise SettingsError(ids)
    raise SettingsError(f"{wanted} {ids} `roster status {options.drop}` says what is held.")


def _page(plan: Plan, options: Options) -> str:
    """Return `plan.md`, or only the reasons if another machine wrote it."""
    path = options.state / "runs" / plan.run / "plan.md"
    if path.is_file() and (text := path.read_text("utf-8")).startswith(
        page_title(plan.id, plan.run)
    ):
        return public_text(text)
    reasons = [f"- {hold.sentence}" for hold in plan.holds]
    return public_text("\n".join((page_title(plan.id, plan.run), "", *reasons)))


@dataclass(frozen=True)
class DiscardResult:
    """The plan that was discarded."""

    plan: Plan
    exit_code: int = DONE


def discard(
    plan: str, state: Path, environment: Mapping[str, str], by: str, note: str
) -> DiscardResult:
    """Discard a plan. The ledger keeps by whom, when and why.

    Raises `SettingsError` if there is no such plan, or somebody has decided on it already.
    """
    now, by = datetime.now(UTC), by or current_user()
    with Ledger.reading(ledger_location(state, environment)) as ledger:
        found = ledger.plan(plan)
        waiting = [one for one in ledger.plans(status="open") if one.expires > now]
        if found is None:
            raise SettingsError(f"There is no plan {plan!r} in {state}. {_list_of(waiting)}")
        if not ledger.decide(plan, "discarded", by=by, note=note, at=now):
            why = _why_decided(ledger.plan(plan) or found)
            raise SettingsError(f"Plan {plan} {why}. {_list_of(waiting)}")
    return DiscardResult(found)


def _why_decided(plan: Plan) -> str:
    day = f"{plan.decided:%Y-%m-%d}" if plan.decided else "an earlier day"
    by = plan.by or "nobody"
    return WHY_DECIDED[plan.status].format(
        id=plan.id, by=by, day=day, expires=f"{plan.expires:%Y-%m-%d}"
    )


def _list_of(plans: list[Plan]) -> str:
    if not plans:
        return "No plan waits."
    words = [f"{one.id} (feed {one.key.feed} into {one.key.target})" for one in plans]
    return f"Waiting: {', '.join(words)}."
