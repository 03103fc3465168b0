"""How a feed stands, by its ledger: its runs, who is running, what is held and whether its drop is too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.ledger import FeedKey, Holder, Ledger, Plan, Run
from flows.feeds.staleness import stale
from flows.result import DONE, FAILED, HELD, REPAIRED, SENT, UNDELIVERED, USAGE

PASSED = (DONE, HELD)


@dataclass(frozen=True)
class FeedStatus:
    """How a feed stands. `runs` are all of it, the newest first, `holder` is the run that is under way.

    `held` are the plans that wait for a person, or were approved and not sent to their end. `drop` is what
    the feed was named by, blank if nobody named it. `stale` is a sentence, blank if its drop is new enough.
    """

    key: FeedKey
    runs: tuple[Run, ...]
    holder: Holder | None
    held: tuple[Plan, ...]
    stale: str
    drop: str = ""

    @property
    def last(self) -> Run | None:
        """The newest run that is not under way; one that was told something wrong did nothing, and does not count."""
        return next((run for run in self.runs if not self.is_running(run) and run.exit_code != USAGE), None)

    @property
    def good(self) -> Run | None:
        """The newest run after which everything had been sent."""
        return next((run for run in self.runs if run.exit_code == DONE), None)

    @property
    def loaded(self) -> Run | None:
        """The newest run of a drop, or of a plan; one that mended the target says nothing of what a drop could not deliver."""
        return next(
            (run for run in self.runs if not self.is_running(run) and run.exit_code != USAGE and run.note != REPAIRED),
            None,
        )

    @property
    def foreign(self) -> int:
        """How many records the last load held because the target has them otherwise, and this feed has not sent them."""
        if self.loaded is None or self.loaded.exit_code != HELD or self.loaded.plan:
            return 0
        return sum(counts.get("held", 0) for counts in self.loaded.counts.values())

    @property
    def undelivered(self) -> tuple[str, ...]:
        """The entities by whose faults the last load could not deliver most of them."""
        counts = self.loaded.counts if self.loaded else {}
        return tuple(name for name, terms in counts.items() if terms.get(UNDELIVERED))

    @property
    def exit_code(self) -> int:
        """1 if the last run failed, was refused or broke off; 3 if something is held or stale; else 0."""
        if self.last and self.last.exit_code not in PASSED:
            return FAILED
        return HELD if self.held or self.foreign or self.undelivered or self.stale else DONE

    def is_running(self, run: Run) -> bool:
        """Whether a run is the one that holds the feed now."""
        return run.ended is None and self.holder is not None and run.id == self.holder.run


def status_of(key: FeedKey, drop: str, ledger: Ledger, now: datetime) -> FeedStatus:
    """Ask the ledger how a feed stands."""
    runs = ledger.runs(key)
    accepted = next((run for run in runs if run.content and run.ended), None)
    old = stale(accepted, runs, now) if accepted else ""
    return FeedStatus(key, tuple(runs), ledger.holder(key), _held(key, ledger, now), old, drop)


def _held(key: FeedKey, ledger: Ledger, now: datetime) -> tuple[Plan, ...]:
    """The plans that can still be approved, and those whose approval was not brought to its end."""
    waits = [plan for plan in ledger.plans(key, status="open") if plan.expires > now]
    return (*waits, *ledger.plans(key, status="approved"))


def run_totals(run: Run) -> dict[str, int]:
    """Count the records of all entities that a run sent, rejected and held."""
    terms = {"sent": SENT, "rejected": ("rejected",), "held": ("held",)}
    return {
        name: sum(counts.get(term, 0) for counts in run.counts.values() for term in wanted)
        for name, wanted in terms.items()
    }
