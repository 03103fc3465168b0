"""The requests that a target bears at once, shared by all runs on this machine.

A slot is a locked file, and so is the seat that a run takes to be counted while it sends: the system
takes both back from a process that dies.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from connectors.oneroster.pace import Pace
from connectors.oneroster.target import TargetError
from connectors.private_files import open_private_file

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
async def shared(folder: Path, pace: Pace, longest_wait: float = LONGEST_WAIT) -> AsyncIterator[None]:
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
