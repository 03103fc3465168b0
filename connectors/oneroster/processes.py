"""Several processes that send for one load. What they send was built here, and what arrives is recorded here.

The standard library's `ProcessPoolExecutor` was measured beside this (20,451 records, two processes, medians of three): it
takes the same CPU, 0.322 against 0.325 ms a record, and it would leave us most of this code, since it can neither stop work
that is under way nor keep the loop of a client between batches. It costs more elsewhere:

- In a flow run it imports Prefect again in each process, with the module that started the run: 4.2 s of CPU for two, not 1.8 s.
- Its processes hear the Ctrl-C of the terminal while they start, and die of it. These finish what is under way.
- Where the load is killed its processes stay, each of which holds its own end of the queue. These end with their socket.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.oneroster.errands import Errand
from connectors.oneroster.loaded import Result
from connectors.oneroster.messages import Batch, Outcome, packed, received
from connectors.oneroster.parts import in_parts, joined, lost, shares
from connectors.oneroster.target import Target, TargetError

PROGRAM = "connectors.oneroster.process"
ROOT = Path(__file__).parents[2]
END_SECONDS = 5.0
STOPPED = "the load was stopped"


class Processes:
    """So many processes, between which the requests that a target bears at once are shared; an async context manager.

    `requests` counts what they sent, `retries` what of it was sent again.
    """

    def __init__(self, count: int, target: Target) -> None:
        self.requests = self.retries = 0
        self._target = target
        self._shares = shares(target.concurrency, count)
        self._members: list[_Member] = []

    @property
    def pids(self) -> list[int]:
        """The processes, as the system numbers them."""
        return [member.pid for member in self._members]

    async def __aenter__(self) -> Self:
        # Slots are shared among processes as they are among runs: there each may have any of them.
        own = [
            self._target if self._target.slots else replace(self._target, concurrency=share) for share in self._shares
        ]
        self._members = [await _started(target) for target in own]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:  # fmt: skip
        for member in self._members:
            await member.end()

    async def run(self, _batch: str, errands: list[Errand], at_once: int, stop: asyncio.Event | None) -> tuple[dict[int, Result], TargetError | None]:  # fmt: skip
        """Give the result of each errand by its place; those that were not run, or of which nobody knows, are not there."""
        members = self._members if at_once > 1 else self._members[:1]
        stopping = asyncio.create_task(_stopped(stop, members))
        parts = in_parts(errands, at_once, len(members))
        outcomes = await asyncio.gather(
            *(self._of(member, part, members) for member, part in zip(members, parts, strict=False))
        )
        stopping.cancel()
        self.requests += sum(outcome.requests for outcome in outcomes)
        self.retries += sum(outcome.retries for outcome in outcomes)
        return joined(outcomes)

    async def _of(self, member: _Member, batch: Batch, all_of_them: list[_Member]) -> Outcome:
        outcome = await member.run(batch)
        if outcome.error:
            for other in all_of_them:
                other.stop(outcome.error)
        return outcome


async def _stopped(stop: asyncio.Event | None, members: list[_Member]) -> None:
    if stop:
        await stop.wait()
        for member in members:
            member.stop(STOPPED)


async def _started(target: Target) -> _Member:
    """Start a process, which does not hear the Ctrl-C of this one's terminal; secrets go to it through the socket alone."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", PROGRAM, str(theirs.fileno()), str(Path.cwd()), cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
            pass_fds=[theirs.fileno()], start_new_session=True,
        )  # fmt: skip
    reader, writer = await asyncio.open_connection(sock=ours)
    writer.write(packed(target))
    return _Member(process, reader, writer)


class _Member:
    """One of the processes."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._reader = reader
        self._writer = writer

    async def run(self, batch: Batch) -> Outcome:
        """Let it run a batch. If it ends before it has told, nobody knows what it sent."""
        try:
            self._writer.write(packed(batch))
            await self._writer.drain()
            outcome: Outcome | None = await received(self._reader)
        except ConnectionError:
            outcome = None
        return outcome or lost(batch, f"Process {self.pid}, which was sending, has ended. Run again.")

    def stop(self, why: str) -> None:
        """Let it finish what is under way, and begin nothing new."""
        self._writer.write(packed(why))

    async def end(self) -> None:
        """Close the way to it, and wait until it has gone."""
        self._writer.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
