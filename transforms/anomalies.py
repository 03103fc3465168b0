"""Anomalies: counts of rejects and changes that are far above those of a feed's earlier runs.

They are reported, and hold nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from transforms.grammar import count_of

# The terms whose high counts suggest that the export has changed, and not the district.
WATCHED = ("rejected", "created", "updated", "vanished")
# Fewer runs are not enough to know what is usual. Older runs are out of date.
FEWEST_RUNS, MOST_RUNS = 5, 30
# Up to this many records above the usual count are never reported.
FLOOR = 25
# The limit above the usual count, in robust standard deviations (MAD x 1.4826). A deviation is at
# least a tenth of the usual count.
DEVIATIONS, NORMAL, TENTH = 6.0, 1.4826, 0.1
# A count that occurred twice before is a pattern, such as that of Mondays. Up to this many times
# that count is usual.
HABIT = 1.5

# Records by entity and term.
Tallies = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class UnusualCount:
    """A count that is far above the usual one."""

    entity: str
    term: str
    count: int
    usual: float  # the median of the earlier runs
    runs: int  # the number of earlier runs

    @property
    def sentence(self) -> str:
        """The unusual count and the usual one, in a sentence."""
        return (
            f"{count_of(self.count, self.entity)} {self.term}; "
            f"usually {self.usual:,.0f} over the last {count_of(self.runs, 'runs')}."
        )


def find_unusual(counts: Tallies, earlier: Sequence[Tallies]) -> list[UnusualCount]:
    """Return the counts that are far above those of the `earlier` runs, given newest first.

    The caller omits runs that are not typical: first loads, restores, and runs that ended early.
    """
    runs = earlier[:MOST_RUNS]
    if len(runs) < FEWEST_RUNS:
        return []
    found = []
    for entity, terms in counts.items():
        for term in WATCHED:
            count, before = terms.get(term, 0), [run.get(entity, {}).get(term, 0) for run in runs]
            if count > _highest_usual(before):
                found.append(UnusualCount(entity, term, count, median(before), len(runs)))
    return found


def _highest_usual(before: Sequence[int]) -> float:
    """Return the highest count that is still usual after these counts."""
    usual = median(before)
    deviation = NORMAL * median(abs(count - usual) for count in before)
    habit = sorted(before)[-2]
    return max(usual + FLOOR, usual + DEVIATIONS * max(deviation, TENTH * usual), HABIT * habit)
