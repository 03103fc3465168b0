"""How many requests may be under way: fewer when the target is too slow or asks to be spared, slowly more again.

Additive increase, multiplicative decrease: a burst of complaints halves the window once, and each
round of answers widens it by one, up to the ceiling.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from connectors.oneroster.target import TargetError


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
        return self.under_way < int(self._window) and self.under_way < self._allowed and not self._pause
