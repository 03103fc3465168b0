"""Several processes that send for one load.

The load builds what they send, and records what arrives. We measured the standard library's
`ProcessPoolExecutor` beside this (20,451 records, two processes, medians of three). It takes the
same CPU, 0.322 against 0.325 ms a record. Most of this code would remain, since it can neither stop
work under way nor keep a client's event loop between batches. It also has costs elsewhere:

- In a flow run, each process imports Prefect again, with the module that started the run: 4.2 s of
  CPU for two processes, not 1.8 s.
- Its processes receive the terminal's Ctrl-C while they start, and die. These finish what is under
  way.
- When the load is killed, its processes stay: each holds its own end of the queue. These end when
  their socket closes.
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
from connectors.oneroster.load_state import BatchResult
from connectors.oneroster.operations import Operation, carry_out
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.senders import OUTCOME_UNKNOWN, run_concurrently
from connectors.oneroster.target import Endpoint, RunStopped, TargetError

PROGRAM = "connectors.oneroster.processes"
ROOT = Path(__file__).parents[2]
END_SECONDS = 5.0
STOPPED = "the load was stopped"
LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """The operations that one process is to carry out."""

    errands: list[Operation]
    # How many of them may run at once.
    at_once: int


@dataclass(frozen=True, slots=True)
class BatchReply:
    """The results of a batch."""

    # By place in the batch.
    results: dict[int, RecordResult]
    # Why the batch ended early; blank if it did not.
    error: str
    # Requests sent, retries included.
    requests: int = 0
    retries: int = 0


class ProcessSender:
    """Processes that share a target's limit of concurrent requests; an async context manager."""

    def __init__(self, count: int, target: Endpoint) -> None:
        # What all of them sent, and how many of these requests were retries.
        self.requests = self.retries = 0
        self._target = target
        self._shares = divide(target.concurrency, count)
        self._members: list[_Member] = []

    @property
    def pids(self) -> list[int]:
        """The ids of the processes."""
        return [member.pid for member in self._members]

    async def __aenter__(self) -> Self:
        # With slots, processes share the limit as runs do: each may use all of it.
        endpoints = [
            self._target if self._target.slots else replace(self._target, concurrency=share)
            for share in self._shares
        ]
        self._members = [await _start(target) for target in endpoints]
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
        self, _batch: str, errands: list[Operation], at_once: int, stop: asyncio.Event | None
    ) -> BatchResult:
        """Return the result of each operation by its place, and the first error.

        An operation that was not begun has no result.
        """
        members = self._members if at_once > 1 else self._members[:1]
        stopping = asyncio.create_task(_stop_members(stop, members))
        parts = split_batch(errands, at_once, len(members))
        replies = await asyncio.gather(
            *(
                self._run_member(member, part, members)
                for member, part in zip(members, parts, strict=False)
            )
        )
        stopping.cancel()
        self.requests += sum(reply.requests for reply in replies)
        self.retries += sum(reply.retries for reply in replies)
        return join_replies(replies)

    async def _run_member(
        self, member: _Member, batch: Batch, members: list[_Member]
    ) -> BatchReply:
        reply = await member.run(batch)
        if reply.error:
            for other in members:
                other.stop(reply.error)
        return reply


async def _stop_members(stop: asyncio.Event | None, members: list[_Member]) -> None:
    if stop:
        await stop.wait()
        for member in members:
            member.stop(STOPPED)


async def _start(target: Endpoint) -> _Member:
    """Start a process, in a session of its own so that the terminal's Ctrl-C does not reach it.

    Secrets go to it through the socket alone.
    """
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
    writer.write(encode(target))
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
        """Let the process run a batch.

        If it ends before it replies, nobody knows what it sent.
        """
        try:
            self._writer.write(encode(batch))
            await self._writer.drain()
            reply: BatchReply | None = await receive(self._reader)
        except ConnectionError:
            reply = None
        return reply or lost_reply(
            batch, f"Process {self.pid}, which was sending, has ended. Run again."
        )

    def stop(self, why: str) -> None:
        """Let the process finish what is under way, and begin nothing new."""
        self._writer.write(encode(why))

    async def end(self) -> None:
        """Close the socket, and wait until the process has ended."""
        self._writer.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def serve(way: socket.socket) -> None:
    """Run batch after batch until the load ends.

    After a stop, what is under way is finished and nothing new is begun.
    """
    reader, writer = await asyncio.open_connection(sock=way)
    stop = asyncio.Event()
    async with Client(await receive(reader)) as client:
        running: asyncio.Task[None] | None = None
        while (message := await receive(reader)) is not None:
            if isinstance(message, Batch):
                running = asyncio.create_task(_reply_to(message, client, stop, writer))
            else:
                stop.set()
                client.end(RunStopped(message))
        if running:
            running.cancel()


async def _reply_to(
    batch: Batch, client: Client, stop: asyncio.Event, writer: asyncio.StreamWriter
) -> None:
    writer.write(encode(await run(batch, client, stop)))


def encode(message: Endpoint | Batch | BatchReply | str) -> bytes:
    """Encode a message with its length in front.

    A text is the reason to stop.
    """
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


async def receive(reader: asyncio.StreamReader) -> Any:
    """Wait for the next message; return None if the other side has ended."""
    try:
        size = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        return pickle.loads(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def divide(total: int, count: int) -> list[int]:
    """Divide a number among `count`, or among fewer if the number is smaller.

    For example, 10 among 3 is 4, 3, 3.
    """
    count = min(count, total)
    return [total // count + (place < total % count) for place in range(count)]


def split_batch(errands: list[Operation], at_once: int, count: int) -> list[Batch]:
    """Deal operations out to `count` processes.

    Fewer processes get a part if there are fewer operations, or if fewer may run at once.
    """
    dealt = divide(at_once, min(count, max(len(errands), 1)))
    return [Batch(errands[first :: len(dealt)], share) for first, share in enumerate(dealt)]


def join_replies(replies: list[BatchReply]) -> BatchResult:
    """Put the results in the places that their operations had before; the first error counts."""
    results = {
        first + place * len(replies): result
        for first, reply in enumerate(replies)
        for place, result in reply.results.items()
    }
    error = next((reply.error for reply in replies if reply.error), "")
    return results, TargetError(error) if error else None


def lost_reply(batch: Batch, sentence: str) -> BatchReply:
    """Return the reply for a part whose results nobody knows."""
    unknown = RecordResult("waiting", OUTCOME_UNKNOWN, settled=False)
    return BatchReply(dict.fromkeys(range(len(batch.errands)), unknown), sentence)


async def run(batch: Batch, client: Client, stop: asyncio.Event | None = None) -> BatchReply:
    """Run a part through a client, and return its reply."""
    requests, retries = client.requests, client.retries
    results, error = await run_concurrently(
        batch.errands, batch.at_once, lambda errand: carry_out(client, errand), stop
    )
    return BatchReply(
        results, str(error or ""), client.requests - requests, client.retries - retries
    )


def run_part(message: bytes) -> bytes:
    """Run a part to its end in this process, and return the pickled `BatchReply`.

    `message` is a pickled `Endpoint` and `Batch`.
    """
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
