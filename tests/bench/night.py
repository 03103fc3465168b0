"""The unchanged night beside a bare polars script, in turn, and the start-up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench.measuring import ROSTER, Cost, cost, in_turn, median

TIME_LIMIT, MEMORY_LIMIT, HELP_LIMIT = 3.0, 2.0, 1.0
# Six enrollments and a role beside each person; classes, courses and schools are few.
ROWS_EACH = 8


def measure(folder: Path, people: int = 100_000, large: int = 625_000, runs: int = 7) -> None:
    """Measure the unchanged night at two sizes, and the start-up."""
    ours, bare = _night(folder, people, runs)
    _print("time", ours, bare, "wall", TIME_LIMIT)
    _print("peak memory", ours, bare, "memory", MEMORY_LIMIT)
    larger, _ = _night(folder, large, 1)
    growth = median(larger, "wall") / median(ours, "wall")
    print(
        f"growth       {growth:.2f} x the time for {large / people:.2f} x the rows (at most that)"
    )
    helped = median([cost([ROSTER, "--help"]) for _ in range(runs)], "wall")
    print(f"--help       {helped:.2f} s (at most {HELP_LIMIT:g})")


def _night(folder: Path, people: int, runs: int) -> tuple[list[Cost], list[Cost]]:
    """Measure a night on which nothing changed, beside the bare script, in turn."""
    print(f"{people:,} people, {people * ROWS_EACH:,} rows, nothing changed", flush=True)
    drop, state, store = (str(folder / f"{name}-{people}") for name in ("drop", "state", "bare"))
    subprocess.run(
        [sys.executable, "-m", "tests.bench.preparing", drop, state, str(people)], check=True
    )
    ours = [ROSTER, "sync", drop, "--state", state, "--json"]
    bare = [sys.executable, "-m", "tests.bench.bare", drop, store]
    return in_turn(ours, bare, runs)


def _print(name: str, ours: list[Cost], bare: list[Cost], what: str, limit: float) -> None:
    ratio = median(ours, what) / median(bare, what)
    unit = "MiB" if what == "memory" else "s"
    medians = f"{median(ours, what):.2f} and {median(bare, what):.2f} {unit}"
    print(
        f"{name:<12} {ratio:.2f} x the bare script (at most {limit:g}); medians {medians}",
        flush=True,
    )
