"""The load beside bare loops: requests a second with latency, CPU a record without, in turn, in one run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from tests.bench.peer import beside
from tests.bench.sending import Figures, sent_by
from tests.bench.server import serving

LATENCY = 0.020
RATE_LIMIT, CPU_LIMIT = 0.85, 1.3
Runs = dict[str, list[Figures]]


def measure(folder: Path, people: int = 430, runs: int = 5) -> None:
    """Measure the load of a small district: seven records a person, all of them new."""
    with serving(LATENCY) as url:
        late = in_turn(["load", "sockets", "workers"], url, folder, people, runs)
    records = late["load"][0].records
    print(
        f"{records:,} records, all new, 10 requests at once; the server takes {LATENCY * 1000:.0f} ms",
        flush=True,
    )
    rate = median(late["load"], "rate") / median(late["sockets"], "rate")
    print(
        f"requests/s   {rate:.2f} x bare sockets (at least {RATE_LIMIT:g}); medians {_rates(late)}",
        flush=True,
    )
    with serving(0) as url:
        atonce = in_turn(["load", "loop", "prebuilt", "workers"], url, folder, people, runs)
        lightbeam = beside(url, folder, people, runs)
    _costs(atonce)
    for when, figures in (
        (f"{LATENCY * 1000:.0f} ms", late["workers"]),
        ("at once", atonce["workers"]),
    ):
        print(
            f"--workers 2  {median(figures, 'rate'):.0f} records/s, {median(figures, 'cpu_each') * 1000:.3f} ms of CPU a record, their start included; answers {when}"
        )
    print(f"lightbeam    {lightbeam}", flush=True)


def in_turn(senders: Sequence[str], url: str, folder: Path, people: int, runs: int) -> Runs:
    """Let senders send the same records in turn, so that a machine whose speed drifts slows all; the first turn warms up."""
    turns = [
        {name: sent_by(name, url, folder, people) for name in senders} for _ in range(runs + 1)
    ][1:]
    return {name: [turn[name] for turn in turns] for name in senders}


def median(figures: Sequence[Figures], what: str) -> float:
    """The median of one figure."""
    return float(statistics.median(getattr(one, what) for one in figures))


def _rates(runs: Runs) -> str:
    return " and ".join(f"{median(runs[name], 'rate'):.0f}" for name in ("load", "sockets"))


def _costs(runs: Runs) -> None:
    print("the same records; the server answers at once")
    ours, loop, prebuilt = (median(runs[name], "cpu_each") for name in ("load", "loop", "prebuilt"))
    medians = f"{ours * 1000:.3f} and {loop * 1000:.3f} ms"
    print(
        f"CPU a record {ours / loop:.2f} x a bare loop over the same transport (at most {CPU_LIMIT:g}); medians {medians}"
    )
    print(
        f"             {ours / prebuilt:.2f} x the loop over prebuilt requests, {prebuilt * 1000:.3f} ms",
        flush=True,
    )
