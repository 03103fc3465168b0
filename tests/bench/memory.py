"""The peak memory of loading a whole district into an empty target."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.district import ENROLLMENTS_EACH, write_district
from tests.bench.measuring import ROSTER, cost
from tests.bench.server import serving

MEMORY_LIMIT = 800


def measure(folder: Path, people: int = 100_000) -> None:
    """Load a district with the command line, and tell its peak."""
    drop = write_district(folder / f"drop-{people}", people)
    with serving(0) as url, tempfile.TemporaryDirectory() as state:
        target = {"TIMEBACK_API_URL": url, "TIMEBACK_ACCESS_TOKEN": "bench"}
        whole = cost(
            [ROSTER, "sync", str(drop), "--target", "env", "--state", state, "--json"], target
        )
    records = people * (1 + ENROLLMENTS_EACH)
    print(
        f"load memory  {whole.memory:.0f} MiB at its peak (at most {MEMORY_LIMIT}) for {records:,} users and enrollments, all new"
    )
    print(
        f"             {records / whole.wall:.0f} records/s, {whole.cpu / records * 1000:.3f} ms of CPU a record, the whole command"
    )
