"""What is amiss with a night: somebody was harmed before a person was asked, nobody was told, or people were asked for nothing."""

from __future__ import annotations

import re

from tests.year.calendar import ASKS
from tests.year.faults.fault import Fault
from tests.year.planting import Outcome
from transforms.guard.limits import Limits, allowed

MOST_HOLDS = 3
LIMITS = Limits()


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
    return allowed(there, LIMITS.vanished_percent, LIMITS.vanished_records) if fault.floor is None else fault.floor


def of_fault(night: Outcome, fault: Fault) -> str:
    """Say what is amiss with the night of a fault; blank: nothing."""
    if any(count > _floor(fault, night.there[kind]) for kind, count in night.kinds.items()):
        return "asked too late" if night.asked else "harmed unseen"
    if fault.asks and not night.asked:
        return "said nothing"
    if not re.search(fault.says, night.told, re.IGNORECASE):
        return f"the cause is not told ({fault.says!r})"
    return ""
