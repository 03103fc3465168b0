"""How many requests may be under way: within one run, and among all runs on this machine.

`Pace` is the gate of one run. Additive increase, multiplicative decrease: a burst of complaints
halves the window once, and each round of answers widens it by one, up to the ceiling. `shared`
divides the target's limit among runs, by locks on files.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from connectors.oneroster.target import TargetError
from connectors.private_files import open_private_file


class Pace:
    """The gate that every request of a run passes, first come, first served."""

    def __init__(self, ceiling: int) -> None:
        # Seconds for which the gate was closed, in total.
        self.paused = 0.0
        # Requests that have passed and are not answered yet.
        self.under_way = 0
        # Called when a request waits that could pass if `allow` had given more.
        self.short: Callable[[], None] | None = None
        self._ceiling = ceiling
        self._allowed = ceiling
        self._window = float(ceiling)
        self._burst = 0
        self._turns: deque[asyncio.Future[None]] = deque()
        self._pause: asyncio.TimerHandle | None = None
        self._end: TargetError | None = None
        self._ended = asyncio.Event()

    @property
    def window(self) -> int:
        """How many requests may be under way at once, as far as the target tolerates them."""
        return int(self._window)

    @property
    def wanted(self) -> int:
        """How many requests would be under way if the window were the only limit."""
        return min(int(self._window), self.under_way + len(self._turns))

    async def enter(self) -> int:
        """Wait for a turn and take it; return the burst to which the request belongs."""
        if self._end:
            raise self._end
        if self._has_room():
            self.under_way += 1
        else:
            await self._wait_for_turn()
        return self._burst

    def leave(self) -> None:
        """Pass the turn to the next request."""
        self.under_way -= 1
        if self._turns:
            self._admit()

    def answered(self) -> None:
        """Widen the window after an answer: by one for each round of answers."""
        if self._window < self._ceiling:
            self._window = min(float(self._ceiling), self._window + 1 / self._window)

    def slow_down(self, burst: int) -> None:
        """Halve the window, unless it was halved after this burst was sent."""
        if burst == self._burst:
            self._burst += 1
            self._window = max(1.0, self._window / 2)

    def allow(self, requests: int) -> None:
        """Allow no more requests than this at once, whatever the window."""
        self._allowed = requests
        self._admit()

    def pause(self, seconds: float) -> None:
        """Let no request pass for a while."""
        loop = asyncio.get_running_loop()
        begun, until = loop.time(), loop.time() + seconds
        if self._pause:
            begun, until = self._pause.when(), max(self._pause.when(), until)
            self._pause.cancel()
        self.paused += max(0.0, until - begun)
        self._pause = loop.call_at(until, self._resume)

    async def rest(self, seconds: float) -> None:
        """Wait before a retry; raise the error that ends the run if it ends meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return
        if self._end:
            raise self._end

    def end(self, error: TargetError) -> None:
        """Let no request pass any more; those that wait raise the error."""
        self._end = self._end or error
        self._ended.set()
        while self._turns:
            if not (turn := self._turns.popleft()).done():
                turn.set_exception(self._end)

    async def _wait_for_turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        if self.short and self._allowed < self.wanted:
            self.short()
        try:
            await turn
        except asyncio.CancelledError:
            # The turn may have come just when the request was canceled.
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def _resume(self) -> None:
        self._pause = None
        self._admit()

    def _admit(self) -> None:
        while self._turns and self._has_room():
            if not (turn := self._turns.popleft()).done():
                self.under_way += 1
                turn.set_result(None)

    def _has_room(self) -> bool:
        return (
            self.under_way < int(self._window)
            and self.under_way < self._allowed
            and not self._pause
        )


# The API accepts ten requests at once (API reference, section 3).
SLOTS = 10
# More runs than this are not counted.
SEATS = 16
# How often a run looks for free slots, and how soon again if it is short of them.
LOOK_SECONDS, LOOK_AGAIN_SECONDS = 0.2, 0.02
LONGEST_WAIT = 1800.0
SLOTS_TAKEN = (
    "Other runs on this machine are making all the requests that the target accepts at once. "
    "Wait until they have ended, or stop one that hangs, and run again."
)


class Slots:
    """The slots of a target that one run holds; `folder` belongs to the target."""

    def __init__(self, folder: Path) -> None:
        self._slots = [open_private_file(folder / f"{number}.slot") for number in range(SLOTS)]
        self._seats = [open_private_file(folder / f"{number}.run") for number in range(SEATS)]
        self._seat: int | None = None
        self._held: list[int] = []

    def close(self) -> None:
        """Release all slots and the seat."""
        for file in (*self._slots, *self._seats):
            os.close(file)

    def hold(self, wanted: int, in_use: int) -> int:
        """Hold as many free slots as wanted, up to a fair share; return how many are held.

        Slots of requests under way are kept.
        """
        self._count_in(wanted > 0)
        due = max(in_use, min(wanted, max(1, SLOTS // self._runs())))
        while len(self._held) > due:
            _free(self._held.pop())
        for slot in self._slots:
            if len(self._held) < due and slot not in self._held and _locked(slot, fcntl.LOCK_EX):
                self._held.append(slot)
        return len(self._held)

    def _count_in(self, sends: bool) -> None:
        """Take a seat while there is something to send, so that other runs count this one.

        A run that finds no free seat is not counted.
        """
        if sends and self._seat is None:
            self._seat = next((seat for seat in self._seats if _locked(seat, fcntl.LOCK_EX)), None)
        elif self._seat is not None and not sends:
            _free(self._seat)
            self._seat = None

    def _runs(self) -> int:
        """Return how many runs send, this one included."""
        return 1 + sum(_is_taken(seat) for seat in self._seats if seat != self._seat)


@asynccontextmanager
async def share_slots(
    folder: Path, pace: Pace, longest_wait: float = LONGEST_WAIT
) -> AsyncIterator[None]:
    """Let a pace admit only as many requests as the run holds slots.

    The run looks for free slots now and then, and at once when it is short of them. A run that has
    held none for `longest_wait` seconds ends, since the run that holds them may hang.
    """
    slots, looked_at, loop = Slots(folder), 0.0, asyncio.get_running_loop()

    def look() -> int:
        nonlocal looked_at
        looked_at = loop.time()
        held = slots.hold(pace.wanted, pace.under_way)
        pace.allow(held)
        return held

    def short() -> None:
        if pace.under_way == 0 or loop.time() - looked_at > LOOK_AGAIN_SECONDS:
            look()

    async def watch() -> None:
        since = loop.time()
        while loop.time() - since < longest_wait:
            await asyncio.sleep(LOOK_SECONDS)
            if look() or not pace.wanted:
                since = loop.time()
        pace.end(TargetError(SLOTS_TAKEN))

    pace.allow(0)
    pace.short = short
    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        slots.close()


def _locked(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(file: int) -> None:
    fcntl.flock(file, fcntl.LOCK_UN)


def _is_taken(seat: int) -> bool:
    free = _locked(seat, fcntl.LOCK_SH)
    if free:
        _free(seat)
    return not free
