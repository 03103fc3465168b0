"""The verdict on a night: harm that was not held, a fault not reported, or a false alarm."""

from __future__ import annotations

import re

from tests.year.calendar import ASKS, SUMMER
from tests.year.faults.fault import Fault
from tests.year.planting import Outcome
from transforms.guard.limits import GuardLimits, most_allowed

MOST_HOLDS = 3
LIMITS = GuardLimits()


def of_ordinary(night: Outcome) -> str:
    """Return what is wrong with a night without a fault; blank for nothing."""
    if night.harms:
        return "harmed by a true export"
    if night.missing:
        return (
            f"not as it truly is afterwards: {len(night.missing)}, such as "
            f"{' '.join(night.missing[0].key)}"
        )
    if night.asked and night.day not in ASKS:
        return "asked for nothing"
    return ""


def _floor(fault: Fault, there: int) -> int:
    """Return how many of `there` may be harmed before the guard must hold the run."""
    return (
        most_allowed(there, LIMITS.vanished_percent, LIMITS.vanished_records)
        if fault.floor is None
        else fault.floor
    )


def of_fault(night: Outcome, fault: Fault) -> str:
    """Return what is wrong with the night of a fault, or with one after it; blank for nothing."""
    if night.which == "mended":
        return _of_mended(night)
    # An enrollment in a term that is over does not count.
    kinds = {
        kind: count
        for kind, count in night.kinds.items()
        if night.day < SUMMER or not kind.startswith("seat")
    }
    if any(count > _floor(fault, night.there[kind]) for kind, count in kinds.items()):
        return "asked too late" if night.asked else "harmed unseen"
    if fault.asks and not night.asked:
        # Harm below the limits need not be held.
        return "" if night.kinds or night.day >= SUMMER else "said nothing"
    if not re.search(fault.says, night.told, re.IGNORECASE):
        return f"the cause is not told ({fault.says!r})"
    return ""


def _of_mended(night: Outcome) -> str:
    """Return what is wrong after a correct export whose plan was approved; blank for nothing.

    Only a full snapshot corrects what a wrong delta changed within the limits.
    """
    if night.harms:
        return "harmed by a corrected export"
    if night.missing and night.form != "delta":
        return (
            f"not as it truly is afterwards: {len(night.missing)}, such as "
            f"{' '.join(night.missing[0].key)}"
        )
    return ""
