"""`roster discard`: lets go of a plan that nobody is to approve any more; what it held stays as it is in the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.ledger import Ledger, Plan
from flows.errors import SettingsError
from flows.ledgers import ledger_of
from flows.result import DONE
from flows.whoever import whoever

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


def discard(plan: str, state: Path, environment: Mapping[str, str], by: str, note: str) -> DiscardResult:
    """Discard a plan, and keep in the ledger who did it, when and why.

    Raises `SettingsError` if there is no such plan, or it is decided already.
    """
    now, by = datetime.now(UTC), by or whoever()
    with Ledger.reading(ledger_of(state, environment)) as ledger:
        found = ledger.plan(plan)
        waiting = [one for one in ledger.plans(status="open") if one.expires > now]
        if found is None:
            raise SettingsError(f"There is no plan {plan!r} in {state}. {_waiting(waiting)}")
        if not ledger.decide(plan, "discarded", by=by, note=note, at=now):
            raise SettingsError(f"Plan {plan} {_decided(ledger.plan(plan) or found)}. {_waiting(waiting)}")
    return DiscardResult(found)


def _decided(plan: Plan) -> str:
    day = f"{plan.decided:%Y-%m-%d}" if plan.decided else "an earlier day"
    by = plan.by or "nobody"
    return DECIDED[plan.status].format(id=plan.id, by=by, day=day, expires=f"{plan.expires:%Y-%m-%d}")


def _waiting(plans: list[Plan]) -> str:
    if not plans:
        return "No plan waits."
    return f"Waiting: {', '.join(f'{one.id} (feed {one.key.feed} into {one.key.target})' for one in plans)}."
