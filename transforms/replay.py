"""The drops that a backfill has to load so that the target ends up as if all had been loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Step:
    """One drop or stored roster."""

    day: date
    source: str
    whole: frozenset[str] = frozenset()  # the entities that it has a full snapshot of
    partial: frozenset[str] = frozenset()  # its other entities

    @property
    def entities(self) -> frozenset[str]:
        """All entities that it has."""
        return self.whole | self.partial


def needed_steps(steps: Sequence[Step]) -> list[Step]:
    """Omit the steps that a later full snapshot replaces; `steps` are in the order of their days.

    A step replaces all earlier ones if it has a full snapshot of every entity that they have.
    """
    for first in reversed(range(len(steps))):
        before = frozenset().union(*(step.entities for step in steps[:first]))
        if before <= steps[first].whole:
            return list(steps[first:])
    return []
