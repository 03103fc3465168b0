"""The requests that a target bears at once, shared by all runs on this machine.

A slot is a locked file, and so is the seat that each run takes to be counted: the system takes both
back from a process that dies.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from connectors.ledger.private import open_file
from connectors.oneroster.pace import Pace

SEATS = 16
LOOK_SECONDS = 0.2


class Slots:
    """The slots of a target, as one run holds them; `folder` is the target's own."""

    def __init__(self, folder: Path, ceiling: int) -> None:
        self._slots = [open_file(folder / f"{number}.slot") for number in range(ceiling)]
        self._seats = [open_file(folder / f"{number}.run") for number in range(SEATS)]
        self._seat = next((seat for seat in self._seats if _locked(seat, fcntl.LOCK_EX)), None)
        self._held: list[int] = []

    def close(self) -> None:
        """Give everything back."""
        for file in (*self._slots, *self._seats):
            os.close(file)

    def hold(self, wanted: int, in_use: int) -> int:
        """Hold as many slots as are wanted, free and fair, but never less than are in use; say how many."""
        due = max(in_use, min(wanted, max(1, len(self._slots) // self._runs())))
        while len(self._held) > due:
            fcntl.flock(self._held.pop(), fcntl.LOCK_UN)
        for slot in self._slots:
            if len(self._held) < due and slot not in self._held and _locked(slot, fcntl.LOCK_EX):
                self._held.append(slot)
        return len(self._held)

    def _runs(self) -> int:
        """How many runs there are, this one included."""
        return 1 + sum(_is_taken(seat) for seat in self._seats if seat != self._seat)


@asynccontextmanager
async def shared(folder: Path, ceiling: int, pace: Pace) -> AsyncIterator[None]:
    """Let a pace admit only as many requests as slots can be had, and look again every now and then."""
    slots = Slots(folder, ceiling)
    pace.allow(slots.hold(pace.window, 0))

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            pace.allow(slots.hold(pace.window, pace.under_way))

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        slots.close()


def _locked(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_taken(seat: int) -> bool:
    free = _locked(seat, fcntl.LOCK_SH)
    if free:
        fcntl.flock(seat, fcntl.LOCK_UN)
    return not free
