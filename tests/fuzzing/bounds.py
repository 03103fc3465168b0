"""How long an example may take and how much memory it may need, by the size of what is read."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hypothesis import HealthCheck, Phase, settings

# A whole minute for a drop of some kilobytes: whoever needs it hangs.
SECONDS = 60
# Above what the process has needed before: libraries that are loaded late, and a drop a few times over.
SPARE = 512 << 20
TIMES = int(os.environ.get("ROSTER_FUZZ", "1"))
UNIT = 1 if sys.platform == "darwin" else 1 << 10


def looking(examples: int) -> settings:
    """Try so many examples, or `ROSTER_FUZZ` times as many; only then a smaller one is looked for, which takes minutes."""
    phases = tuple(Phase) if TIMES > 1 else (Phase.explicit, Phase.reuse, Phase.generate)
    return settings(
        max_examples=examples * TIMES, deadline=None, phases=phases, suppress_health_check=list(HealthCheck)
    )


@contextmanager
def bounded(size: int) -> Iterator[None]:
    """Fail if what is done here hangs, or needs far more memory than `size` bytes of input explain."""
    before = _peak()
    hanging = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, hanging)
    assert _peak() - before <= SPARE + 64 * size


def _hangs(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no end after {SECONDS} s")


def _peak() -> int:
    """The most memory that this process has ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
