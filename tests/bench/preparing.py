"""Makes what a measured night needs: a drop, and a ledger as if the target had acknowledged all of it.

A process of its own, since a process that is measured inherits the memory peak of the one that starts it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from connectors.drops import read
from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.profile import TIMEBACK
from tests.bench.district import write_district
from tests.judging import TODAY
from transforms.changes import Changes
from transforms.checks import check
from transforms.diff import diff
from transforms.layouts import ReadingOptions
from transforms.sources import normalize
from transforms.target_values import map_to_target
from transforms.target_vocabulary import feed_vocabulary

BATCH = 100_000


def acknowledge(drop: Path, state: Path) -> None:
    """Write a ledger that holds the whole drop."""
    if (state / "ledger.db").exists():
        return
    with Ledger(state / "ledger.db") as ledger:
        for name, entity in changes_of(drop).items():
            for part in entity.upserts.iter_slices(BATCH):
                ledger.record(FeedKey("sandbox", "default"), name, part, {}, [], "bench")


def changes_of(drop: Path) -> Changes:
    """Compare a drop with a ledger that holds nothing."""
    checked = check(normalize("oneroster", read(drop), ReadingOptions(TODAY)), {})
    return diff(
        map_to_target(
            checked.standing, feed_vocabulary(TIMEBACK.vocabulary), {}, TIMEBACK.collections, None
        ).standing,
        {},
    ).changes


if __name__ == "__main__":
    acknowledge(write_district(Path(sys.argv[1]), int(sys.argv[3])), Path(sys.argv[2]))
