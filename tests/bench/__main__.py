"""`make bench`: prints the ratios that the design promises."""

from __future__ import annotations

import sys
from pathlib import Path

from connectors.drops import read
from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.collections import COLLECTIONS
from tests.bench.district import ENROLLMENTS_EACH, write_district
from tests.bench.measuring import Cost, cost, in_turn, median
from tests.judging import TODAY
from transforms.carry import carry
from transforms.carrying import Carrying
from transforms.checks import check
from transforms.diff import diff
from transforms.sources import normalise

FOLDER = Path(".bench")
BATCH = 100_000
TIME_LIMIT, MEMORY_LIMIT = 3.0, 2.0
BIN = Path(sys.executable).parent


def main(people: int = 100_000, large: int = 715_000, runs: int = 5) -> None:
    """Measure the unchanged night at two sizes, and the start-up."""
    small_ours, small_bare = _night(people, runs)
    _print("time", small_ours, small_bare, "wall", TIME_LIMIT)
    _print("peak memory", small_ours, small_bare, "memory", MEMORY_LIMIT)
    large_ours, _ = _night(large, 1)
    growth = median(large_ours, "wall") / median(small_ours, "wall")
    print(f"growth      {growth:.2f} x the time for {large / people:.2f} x the rows")
    helped = median([cost([str(BIN / "roster"), "--help"]) for _ in range(runs)], "wall")
    print(f"--help      {helped:.2f} s (at most 1)")


def _night(people: int, runs: int) -> tuple[list[Cost], list[Cost]]:
    """Measure a night on which nothing changed, beside the bare script."""
    rows = people * (ENROLLMENTS_EACH + 2)
    print(f"{people:,} people, {people * ENROLLMENTS_EACH:,} enrollments ({rows:,} rows)", flush=True)
    drop, state = write_district(FOLDER / f"drop-{people}", people), FOLDER / f"state-{people}"
    _acknowledge(drop, state)
    ours = [str(BIN / "roster"), "sync", str(drop), "--state", str(state), "--json"]
    bare = [sys.executable, "-m", "tests.bench.bare", str(drop), str(FOLDER / f"bare-{people}")]
    return in_turn(ours, bare, runs)


def _acknowledge(drop: Path, state: Path) -> None:
    """Write a ledger as if the target had acknowledged the whole drop."""
    if (state / "ledger.db").exists():
        return
    checked = check(normalise("oneroster", read(drop), TODAY), {})
    changes = diff(carry(checked.standing, Carrying(), {}, COLLECTIONS, None).standing, {}).changes
    with Ledger(state / "ledger.db") as ledger:
        for name, entity in changes.items():
            for part in entity.upserts.iter_slices(BATCH):
                ledger.record(FeedKey("sandbox", "default"), name, part, [], [], "bench")


def _print(name: str, ours: list[Cost], bare: list[Cost], what: str, limit: float) -> None:
    ratio = median(ours, what) / median(bare, what)
    unit = "MiB" if what == "memory" else "s"
    print(
        f"{name:<11} {ratio:.2f} x the bare script (at most {limit:g}); medians {median(ours, what):.2f} and {median(bare, what):.2f} {unit}"
    )


if __name__ == "__main__":
    main()
