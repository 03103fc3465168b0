"""Where a feed's drops arrive, and by what is told that one has arrived as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flows.dates import DATED

if TYPE_CHECKING:
    from connectors.fetch import Access

# What a marker's name may hold in the place of the drop's.
DROP = "{drop}"
LOOKS, LONGEST_PAUSE = 20, 10.0


@dataclass(frozen=True)
class Arrival:
    """How uploads are waited out, in seconds: until nothing has changed for as long as they `settle`, or a marker is there.

    `ready` is the marker's name. What is not whole after the `wait` is refused. Files of one drop that were written
    farther apart than `spread` are told. Once it is `over`, only the marker is known for what it is.
    """

    settle: float = 0
    ready: str = ""
    wait: float = 3600
    spread: float | None = None
    over: bool = False

    @property
    def pause(self) -> float:
        """How long to wait between two looks."""
        return self.settle or min(self.wait / LOOKS, LONGEST_PAUSE)

    @property
    def looks(self) -> bool:
        """Whether there is anything to look at."""
        return not self.over and bool(self.settle or self.ready or self.spread)

    def marker_of(self, drop: str) -> str:
        """Name the marker of a drop."""
        return self.ready.replace(DROP, drop)


@dataclass(frozen=True)
class Pickup:
    """Where a job's drop lies: at an `address`, or, if that is blank, on this machine.

    Its last part may be a pattern, and `days` is how names say of which day a drop is.
    """

    address: str = ""
    access: Access | None = None
    arrival: Arrival = Arrival()
    days: re.Pattern[str] = DATED

    @property
    def over(self) -> Pickup:
        """For drops that arrived on another day, and lie at hand now."""
        return Pickup(arrival=replace(self.arrival, over=True), days=self.days)
