"""What is far above a feed's own usual: rejects and changes, measured by its earlier runs. It is told, and holds nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

# Terms of which too many mean that the export, and not the district, has changed.
WATCHED = ("rejected", "created", "updated", "vanished")
# Fewer runs than these know of no habit; more than those are long ago.
FEWEST_RUNS, MOST_RUNS = 5, 30
# So many records above the usual are never worth a word.
FLOOR = 25
# How far above the usual is far: in robust standard deviations (MAD x 1.4826), and never less than the usual's tenth.
DEVIATIONS, NORMAL, TENTH = 6.0, 1.4826, 0.1
# What came as high twice before is a habit (of Mondays, say), up to so many times as much.
HABIT = 1.5

Tallies = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Unusual:
    """One count that is far above the `usual`, which is the median of so many `runs`."""

    entity: str
    term: str
    count: int
    usual: float
    runs: int

    @property
    def sentence(self) -> str:
        """Say what is unusual, and what was usual."""
        return f"{self.count:,} {self.entity} {self.term}; in the last {self.runs} runs it was {self.usual:,.0f} as a rule."


def unusual(counts: Tallies, earlier: Sequence[Tallies]) -> list[Unusual]:
    """Find the counts (entity -> term -> records) that are far above those of earlier runs, the newest first.

    The caller leaves out runs that say nothing of a usual night: first loads, restores, and those that broke off.
    """
    runs = earlier[:MOST_RUNS]
    return list(_found(counts, runs)) if len(runs) >= FEWEST_RUNS else []


def _found(counts: Tallies, runs: Sequence[Tallies]) -> Iterator[Unusual]:
    for entity, terms in counts.items():
        for term in WATCHED:
            count, before = terms.get(term, 0), [run.get(entity, {}).get(term, 0) for run in runs]
            if count > _most(before):
                yield Unusual(entity, term, count, median(before), len(runs))


def _most(before: Sequence[int]) -> float:
    """The highest count that is still usual after these."""
    usual = median(before)
    deviation = NORMAL * median(abs(count - usual) for count in before)
    habit = sorted(before)[-2]
    return max(usual + FLOOR, usual + DEVIATIONS * max(deviation, TENTH * usual), HABIT * habit)
