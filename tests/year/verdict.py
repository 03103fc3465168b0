"""What is amiss with a night: somebody was harmed before a person was asked, nobody was told, or people were asked for nothing."""

from __future__ import annotations

import re

from tests.year.calendar import ASKS, SUMMER
from tests.year.faults.fault import Fault
from tests.year.planting import Outcome
from transforms.guard.limits import GuardLimits, allowed

MOST_HOLDS = 3
LIMITS = GuardLimits()


def of_ordinary(night: Outcome) -> str:
    """Say what is amiss with a night without a fault; blank: nothing."""
    if night.harms:
        return "harmed by a true export"
    if night.missing:
        return f"not as it truly is afterwards: {len(night.missing)}, such as {' '.join(night.missing[0].key)}"
    if night.asked and night.day not in ASKS:
        return "asked for nothing"
    return ""


def _floor(fault: Fault, there: int) -> int:
    """How many of those who are there may be harmed before anybody is asked."""
    return (
        allowed(there, LIMITS.vanished_percent, LIMITS.vanished_records)
        if fault.floor is None
        else fault.floor
    )


def of_fault(night: Outcome, fault: Fault) -> str:
    """Say what is amiss with the night of a fault, or with one after it; blank: nothing."""
    if night.which == "mended":
        return _of_mended(night)
    # Nobody loses a seat in a term that is over.
    kinds = {
        kind: count
        for kind, count in night.kinds.items()
        if night.day < SUMMER or not kind.startswith("seat")
    }
    if any(count > _floor(fault, night.there[kind]) for kind, count in kinds.items()):
        return "asked too late" if night.asked else "harmed unseen"
    if fault.asks and not night.asked:
        # So few may be harmed before anybody is asked.
        return "" if night.kinds or night.day >= SUMMER else "said nothing"
    if not re.search(fault.says, night.told, re.IGNORECASE):
        return f"the cause is not told ({fault.says!r})"
    return ""


def _of_mended(night: Outcome) -> str:
    """Say what is amiss once the export is correct again, and a person has approved what it held; blank: nothing.

    What a delta said that was wrong, within the limits, only a full snapshot puts right.
    """
    if night.harms:
        return "harmed by a corrected export"
    if night.missing and night.form != "delta":
        return f"not as it truly is afterwards: {len(night.missing)}, such as {' '.join(night.missing[0].key)}"
    return ""
