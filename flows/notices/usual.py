"""What of a run is far from the feed's usual, by those of its earlier runs that tell what is usual."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.ledger.history import Run
from flows.result import ADDS_ONLY, DONE, HELD, RESTORED, STOPPED, Result
from transforms.unusual import unusual


def unusual_in(result: Result, runs: Sequence[Run]) -> tuple[str, ...]:
    """Say what is unusual in a run of a drop; `runs` are the feed's, the newest first, this one perhaps among them.

    The oldest good run is left out: it loaded everything for the first time.
    """
    if result.error or result.restored or not result.total("read"):
        return ()
    good = [run.counts for run in runs if run.id != result.run and _tells(run)][:-1]
    counts = {entity: {str(term): count for term, count in terms.items()} for entity, terms in result.counts.items()}
    return tuple(one.sentence for one in unusual(counts, good))


def _tells(run: Run) -> bool:
    read = sum(counts.get("read", 0) for counts in run.counts.values())
    return (
        read > 0
        and run.exit_code in (DONE, HELD)
        and not run.approved
        and run.note not in (STOPPED, ADDS_ONLY, RESTORED)
    )
