"""Which of many drops, in the order of their days, are needed so that a target ends as if all of them had been loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Step:
    """One drop or roster of a day: the entities of which it is a full snapshot (`whole`), and those it else speaks of."""

    day: date
    source: str
    whole: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()

    @property
    def entities(self) -> frozenset[str]:
        """All entities of which it says anything."""
        return self.whole | self.partial


def needed(steps: Sequence[Step]) -> list[Step]:
    """Leave out what comes before the last step that is a full snapshot of all that was spoken of before it."""
    for place in reversed(range(len(steps))):
        before = frozenset().union(*(step.entities for step in steps[:place]))
        if before <= steps[place].whole:
            return list(steps[place:])
    return []
