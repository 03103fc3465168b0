"""Whole processes, measured from outside: wall-clock and CPU seconds, peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROSTER = str(Path(sys.executable).parent / "roster")


@dataclass(frozen=True)
class Cost:
    """What a process cost: `wall` and `cpu` in seconds, `memory` in MiB at its peak."""

    wall: float
    cpu: float
    memory: float


def cost(command: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a command to its end; raise `RuntimeError` if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | (environment or {}),
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    if status:
        said = process.stderr.read().decode() if process.stderr else ""
        raise RuntimeError(
            f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}: {said}"
        )
    unit = 1024 if sys.platform == "darwin" else 1
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024 / unit)


def in_turn(
    ours: Sequence[str], reference: Sequence[str], runs: int
) -> tuple[list[Cost], list[Cost]]:
    """Run two commands in turn, so that a machine whose speed drifts slows both; a first pair warms up."""
    pairs = [(cost(ours), cost(reference)) for _ in range(runs + 1)][1:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def median(costs: Sequence[Cost], what: str) -> float:
    """The median of one figure."""
    return float(statistics.median(getattr(one, what) for one in costs))
