"""How long an example may take and how much memory it may need, by the size of what is read."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A whole minute for a drop of some kilobytes: whoever needs it hangs.
SECONDS = 60
# Above what the process has needed before: libraries that are loaded late, and a drop a few times over.
SPARE = 512 << 20
UNIT = 1 if sys.platform == "darwin" else 1 << 10


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
