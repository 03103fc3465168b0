"""How many requests may be under way: fewer when the target is too slow or asks to be spared, slowly more again.

Additive increase, multiplicative decrease: a burst of complaints halves the window once, and each
round of answers widens it by one, up to the ceiling.
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
    """The gate that every request of a run passes, first come, first served.

    `paused` is for how many seconds it was closed altogether. `under_way` are the requests that have passed
    and are not answered. `short` is called when some wait who could pass if more were allowed.
    """

    def __init__(self, ceiling: int) -> None:
        self.paused = 0.0
        self.under_way = 0
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
        """How many requests may be under way at once, as the target bears them."""
        return int(self._window)

    @property
    def wanted(self) -> int:
        """How many requests would be under way at once, if as many were allowed."""
        return min(int(self._window), self.under_way + len(self._turns))

    async def enter(self) -> int:
        """Wait for one's turn, and take it; give the burst to which the request belongs."""
        if self._end:
            raise self._end
        if self._has_room():
            self.under_way += 1
        else:
            await self._turn()
        return self._burst

    def leave(self) -> None:
        """Give one's turn to the next."""
        self.under_way -= 1
        if self._turns:
            self._admit()

    def answered(self) -> None:
        """Widen the window after an answer: by one for each round of them."""
        if self._window < self._ceiling:
            self._window = min(float(self._ceiling), self._window + 1 / self._window)

    def slow_down(self, burst: int) -> None:
        """Halve the window, unless that was done since the requests of this burst were sent."""
        if burst == self._burst:
            self._burst += 1
            self._window = max(1.0, self._window / 2)

    def allow(self, requests: int) -> None:
        """Let no more requests be under way than this, whatever the window."""
        self._allowed = requests
        self._admit()

    def pause(self, seconds: float) -> None:
        """Let nobody pass for a while."""
        loop = asyncio.get_running_loop()
        begun, until = loop.time(), loop.time() + seconds
        if self._pause:
            begun, until = self._pause.when(), max(self._pause.when(), until)
            self._pause.cancel()
        self.paused += max(0.0, until - begun)
        self._pause = loop.call_at(until, self._resume)

    async def rest(self, seconds: float) -> None:
        """Rest before a request is repeated; raise the error with which the run ends, if it does meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return
        if self._end:
            raise self._end

    def end(self, error: TargetError) -> None:
        """Let nobody pass any more: whoever waits is told why."""
        self._end = self._end or error
        self._ended.set()
        while self._turns:
            if not (turn := self._turns.popleft()).done():
                turn.set_exception(self._end)

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        if self.short and self._allowed < self.wanted:
            self.short()
        try:
            await turn
        except asyncio.CancelledError:
            # The turn may have come at the moment at which nobody waited for it any more.
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


# More than ten requests at once are not borne (API reference, section 3).
SLOTS, SEATS = 10, 16
LOOK_SECONDS, AT_ONCE_SECONDS, LONGEST_WAIT = 0.2, 0.02, 1800.0
TAKEN = (
    "Other runs on this machine have been making all the requests that the target bears. "
    "Wait until they have ended, or end one that hangs, and run again."
)


class Slots:
    """The slots of a target, as one run holds them; `folder` is the target's own."""

    def __init__(self, folder: Path) -> None:
        self._slots = [open_private_file(folder / f"{number}.slot") for number in range(SLOTS)]
        self._seats = [open_private_file(folder / f"{number}.run") for number in range(SEATS)]
        self._seat: int | None = None
        self._held: list[int] = []

    def close(self) -> None:
        """Give everything back."""
        for file in (*self._slots, *self._seats):
            os.close(file)

    def hold(self, wanted: int, in_use: int) -> int:
        """Hold as many slots as are wanted, free and fair, but never less than are in use; say how many."""
        self._sit(wanted > 0)
        due = max(in_use, min(wanted, max(1, SLOTS // self._runs())))
        while len(self._held) > due:
            _free(self._held.pop())
        for slot in self._slots:
            if len(self._held) < due and slot not in self._held and _locked(slot, fcntl.LOCK_EX):
                self._held.append(slot)
        return len(self._held)

    def _sit(self, sends: bool) -> None:
        """Be counted while there is something to send; whoever finds no seat is not."""
        if sends and self._seat is None:
            self._seat = next((seat for seat in self._seats if _locked(seat, fcntl.LOCK_EX)), None)
        elif self._seat is not None and not sends:
            _free(self._seat)
            self._seat = None

    def _runs(self) -> int:
        """How many runs send, this one included."""
        return 1 + sum(_is_taken(seat) for seat in self._seats if seat != self._seat)


@asynccontextmanager
async def shared(
    folder: Path, pace: Pace, longest_wait: float = LONGEST_WAIT
) -> AsyncIterator[None]:
    """Let a pace admit only as many requests as slots can be had: looked for when it is short of them, and now and then.

    A run that has had none for so many seconds ends, since whoever holds them may have stopped for good.
    """
    slots, looked, loop = Slots(folder), 0.0, asyncio.get_running_loop()

    def look() -> int:
        nonlocal looked
        looked = loop.time()
        held = slots.hold(pace.wanted, pace.under_way)
        pace.allow(held)
        return held

    def short() -> None:
        if pace.under_way == 0 or loop.time() - looked > AT_ONCE_SECONDS:
            look()

    async def watch() -> None:
        since = loop.time()
        while loop.time() - since < longest_wait:
            await asyncio.sleep(LOOK_SECONDS)
            if look() or not pace.wanted:
                since = loop.time()
        pace.end(TargetError(TAKEN))

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
