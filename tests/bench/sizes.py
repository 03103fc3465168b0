"""What districts of several sizes need: time, memory and disk of a first plan and of a night on which nothing changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.measuring import ROSTER, Cost, cost, median

SIZES = (1_000, 100_000, 1_000_000)
RUNS = 3
MIB = 2**20


def measure(folder: Path) -> None:
    """Measure each size, and print a row for it."""
    print(
        "people      records     first plan          unchanged night      drop  ledger  roster (MiB)"
    )
    for people in SIZES:
        _measure(folder, people)


def _measure(folder: Path, people: int) -> None:
    drop, state, empty = (folder / f"{name}-{people}" for name in ("drop", "state", "empty"))
    prepare = [sys.executable, "-m", "tests.bench.preparing", str(drop), str(state), str(people)]
    subprocess.run(prepare, check=True)
    first = [
        cost([ROSTER, "plan", str(drop), "--state", str(empty), "--json"]) for _ in range(RUNS)
    ]
    night = [ROSTER, "sync", str(drop), "--state", str(state), "--json"]
    nights = [cost(night) for _ in range(RUNS + 1)][1:]
    sizes = (_size(drop), _size(state, "ledger.db*"), _size(state / "rosters"))
    print(
        f"{people:>9,}  {_rows(drop):>9,}  {_told(first)}  {_told(nights)}  {'  '.join(f'{size:>6,}' for size in sizes)}",
        flush=True,
    )
    shutil.rmtree(empty, ignore_errors=True)


def _told(costs: list[Cost]) -> str:
    return f"{median(costs, 'wall'):>7.1f} s {median(costs, 'memory'):>7,.0f} MiB"


def _rows(drop: Path) -> int:
    """How many records the drop has: a line each, but for headers, roles and the manifest."""
    files = [file for file in drop.glob("*.csv") if file.stem not in ("manifest", "roles")]
    return sum(file.read_bytes().count(b"\n") - 1 for file in files)


def _size(folder: Path, pattern: str = "*") -> int:
    return round(sum(file.stat().st_size for file in folder.rglob(pattern) if file.is_file()) / MIB)
