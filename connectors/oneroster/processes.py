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
import os
import pickle
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from connectors.oneroster.client import Client
from connectors.oneroster.operations import Errand, done
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.senders import UNANSWERED, spread
from connectors.oneroster.target import Endpoint, Stopped, TargetError

PROGRAM = "connectors.oneroster.processes"
ROOT = Path(__file__).parents[2]
END_SECONDS = 5.0
STOPPED = "the load was stopped"


class Processes:
    """So many processes, between which the requests that a target bears at once are shared; an async context manager.

    `requests` counts what they sent, `retries` what of it was sent again.
    """

    def __init__(self, count: int, target: Endpoint) -> None:
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
            self._target if self._target.slots else replace(self._target, concurrency=share)
            for share in self._shares
        ]
        self._members = [await _started(target) for target in own]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for member in self._members:
            await member.end()

    async def run(
        self, _batch: str, errands: list[Errand], at_once: int, stop: asyncio.Event | None
    ) -> tuple[dict[int, RecordResult], TargetError | None]:
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

    async def _of(self, member: _Member, batch: Batch, all_of_them: list[_Member]) -> BatchReply:
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


async def _started(target: Endpoint) -> _Member:
    """Start a process, which does not hear the Ctrl-C of this one's terminal; secrets go to it through the socket alone."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            PROGRAM,
            str(theirs.fileno()),
            str(Path.cwd()),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    reader, writer = await asyncio.open_connection(sock=ours)
    writer.write(packed(target))
    return _Member(process, reader, writer)


class _Member:
    """One of the processes."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._reader = reader
        self._writer = writer

    async def run(self, batch: Batch) -> BatchReply:
        """Let it run a batch. If it ends before it has told, nobody knows what it sent."""
        try:
            self._writer.write(packed(batch))
            await self._writer.drain()
            outcome: BatchReply | None = await received(self._reader)
        except ConnectionError:
            outcome = None
        return outcome or lost(
            batch, f"Process {self.pid}, which was sending, has ended. Run again."
        )

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


async def serve(way: socket.socket) -> None:
    """Run batch after batch until the load ends; a stop lets what is under way finish and begins nothing new."""
    reader, writer = await asyncio.open_connection(sock=way)
    stop = asyncio.Event()
    async with Client(await received(reader)) as client:
        running: asyncio.Task[None] | None = None
        while (message := await received(reader)) is not None:
            if isinstance(message, Batch):
                running = asyncio.create_task(_run(message, client, stop, writer))
            else:
                stop.set()
                client.end(Stopped(message))
        if running:
            running.cancel()


async def _run(
    batch: Batch, client: Client, stop: asyncio.Event, writer: asyncio.StreamWriter
) -> None:
    writer.write(packed(await run(batch, client, stop)))


SIZE = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """Errands, and how many of them are run at once."""

    errands: list[Errand]
    at_once: int


@dataclass(frozen=True, slots=True)
class BatchReply:
    """Results by place; `error` says why it broke off, if it did; `requests` were sent, `retries` of them again."""

    results: dict[int, RecordResult]
    error: str
    requests: int = 0
    retries: int = 0


def packed(message: Endpoint | Batch | BatchReply | str) -> bytes:
    """Make bytes of a message, which say how many they are; a text is why to stop."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(SIZE, "big") + content


async def received(reader: asyncio.StreamReader) -> Any:
    """Wait for the next message; None if the other side has ended."""
    try:
        size = int.from_bytes(await reader.readexactly(SIZE), "big")
        return pickle.loads(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def shares(total: int, count: int) -> list[int]:
    """Share a number among so many, or among fewer if it is smaller: 10 among 3 is 4, 3, 3."""
    count = min(count, total)
    return [total // count + (place < total % count) for place in range(count)]


def in_parts(errands: list[Errand], at_once: int, count: int) -> list[Batch]:
    """Deal errands out to so many processes, or to fewer if there are not as many, or not as many may run at once."""
    dealt = shares(at_once, min(count, max(len(errands), 1)))
    return [Batch(errands[first :: len(dealt)], share) for first, share in enumerate(dealt)]


def joined(outcomes: list[BatchReply]) -> tuple[dict[int, RecordResult], TargetError | None]:
    """Put results in the places that their errands had before they were dealt out; the first error counts."""
    results = {
        first + place * len(outcomes): result
        for first, outcome in enumerate(outcomes)
        for place, result in outcome.results.items()
    }
    error = next((outcome.error for outcome in outcomes if outcome.error), "")
    return results, TargetError(error) if error else None


def lost(batch: Batch, sentence: str) -> BatchReply:
    """Say that nobody knows what came of a part."""
    unknown = RecordResult("waiting", UNANSWERED, settled=False)
    return BatchReply(dict.fromkeys(range(len(batch.errands)), unknown), sentence)


async def run(batch: Batch, client: Client, stop: asyncio.Event | None = None) -> BatchReply:
    """Run a part through a client, and say what came of it."""
    requests, retries = client.requests, client.retries
    results, error = await spread(
        batch.errands, batch.at_once, lambda errand: done(client, errand), stop
    )
    return BatchReply(
        results, str(error or ""), client.requests - requests, client.retries - retries
    )


def run_part(message: bytes) -> bytes:
    """Run a part (a pickled `Target` and `Batch`) to its end in this process; give its pickled `Outcome`."""
    target, batch = pickle.loads(message)
    return pickle.dumps(asyncio.run(_run_part(target, batch)), pickle.HIGHEST_PROTOCOL)


async def _run_part(target: Endpoint, batch: Batch) -> BatchReply:
    async with Client(target) as client:
        return await run(batch, client)


if __name__ == "__main__":
    # Messages are pickled with the names of their classes, and those of `__main__` would be others.
    from connectors.oneroster.processes import serve as serve_load

    # The process was started where its modules are. Paths are relative to where the run is.
    os.chdir(sys.argv[2])
    asyncio.run(serve_load(socket.socket(fileno=int(sys.argv[1]))))
