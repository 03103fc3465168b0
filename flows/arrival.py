"""Where a feed's drops arrive, and how a complete one is recognized."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flows.dates import DATE_IN_NAME

if TYPE_CHECKING:
    from connectors.fetch import Access

# In the name of a marker, this stands for the name of the drop.
DROP = "{drop}"
MOST_LOOKS, LONGEST_PAUSE = 20, 10.0


@dataclass(frozen=True)
class Arrival:
    """How to wait for an upload, in seconds."""

    settle: float = 0  # the drop is complete once nothing has changed for so long
    ready: str = ""  # the name of the marker that says that the drop is complete
    wait: float = 3600  # a drop that is not complete by then is refused
    spread: float | None = None  # report files of one drop that were written farther apart
    over: bool = False  # the drop has arrived: only leave out its marker

    @property
    def pause(self) -> float:
        """How many seconds to wait between two looks."""
        return self.settle or min(self.wait / MOST_LOOKS, LONGEST_PAUSE)

    @property
    def looks(self) -> bool:
        """Whether the arrival must be checked."""
        return not self.over and bool(self.settle or self.ready or self.spread)

    def marker_of(self, drop: str) -> str:
        """Return the name of a drop's marker."""
        return self.ready.replace(DROP, drop)


@dataclass(frozen=True)
class DropLocation:
    """Where a job's drop is, and how it arrives."""

    address: str = ""  # its last part may be a pattern; blank: the drop is on this machine
    access: Access | None = None  # the credentials for the address
    arrival: Arrival = Arrival()
    days: re.Pattern[str] = DATE_IN_NAME  # how the name of a drop says its day

    @property
    def over(self) -> DropLocation:
        """The same for a drop that arrived earlier and is on this machine now."""
        return DropLocation(arrival=replace(self.arrival, over=True), days=self.days)
