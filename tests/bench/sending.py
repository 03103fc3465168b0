"""Senders of the same records, each in a process of its own that measures only the sending: our load, and bare loops."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from httpx_aiohttp import AiohttpTransport

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.load import load
from connectors.oneroster.processes import ProcessSender
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.target import Endpoint
from tests.bench.district import write_district
from tests.bench.preparing import changes_of
from transforms.changes import Changes
from transforms.payload import json_records
from transforms.stages import load_stages

CONCURRENCY = 10
TOKEN = "bench"
Item = TypeVar("Item")
HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "content-type": "application/json",
    "accept": "application/json",
}


@dataclass(frozen=True)
class Figures:
    """What sending cost: `wall` and `cpu` (user and system) in seconds."""

    records: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.wall

    @property
    def cpu_each(self) -> float:
        """CPU seconds a record."""
        return self.cpu / self.records


def sent_by(name: str, url: str, folder: Path, people: int) -> Figures:
    """Let a sender send the records of a district of so many people."""
    command = [sys.executable, "-m", "tests.bench.sending", name, url, str(folder), str(people)]
    return Figures(
        **json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    )


def requests_of(changes: Changes) -> list[wire.Request]:
    """Build the requests that the load sends."""
    return [
        wire.create(TIMEBACK.collections[name], body)
        for name, part in changes.items()
        for body in json_records(TIMEBACK.collections[name].entity, part.upserts)
    ]


def main(name: str, url: str, folder: Path, people: int) -> None:
    """Send, and print the figures as JSON."""
    changes = changes_of(write_district(folder / f"drop-{people}", people))
    prepared = SENDERS[name](url, changes)
    wall, cpu = time.perf_counter(), _cpu()
    asyncio.run(prepared())
    print(
        json.dumps(
            {"records": _records(changes), "wall": time.perf_counter() - wall, "cpu": _cpu() - cpu}
        )
    )


Prepared = Callable[[], Coroutine[None, None, None]]


def _load(url: str, changes: Changes, workers: int = 1) -> Prepared:
    """Our own: from the frames to the ledger on the disk; the start of other processes counts."""

    async def run() -> None:
        target = Endpoint(url, access_token=TOKEN, concurrency=CONCURRENCY, profile=TIMEBACK)
        with tempfile.TemporaryDirectory() as state, Ledger(Path(state) / "ledger.db") as ledger:
            several = ProcessSender(workers, target) if workers > 1 else nullcontext()
            async with Client(target) as client, several as processes:
                loaded = await load(
                    load_stages(changes),
                    client,
                    ledger,
                    FeedKey(url, "bench"),
                    "bench",
                    sender=processes,
                )
        created = sum(counts.get("created", 0) for counts in loaded.counts.values())
        assert created == _records(changes), loaded

    return run


def _loop(url: str, changes: Changes) -> Prepared:
    """A loop that builds its requests from the same records, as JSON objects."""
    records = [(url + request.path, json.loads(request.body)) for request in requests_of(changes)]

    async def run() -> None:
        async with AiohttpTransport(limits=httpx.Limits(max_connections=CONCURRENCY)) as transport:

            async def send(record: tuple[str, object]) -> None:
                await _through(
                    transport, httpx.Request("POST", record[0], headers=HEADERS, json=record[1])
                )

            await _each(records, send)

    return run


def _prebuilt(url: str, changes: Changes) -> Prepared:
    """A loop that has its requests ready."""
    requests = [
        httpx.Request("POST", url + request.path, headers=HEADERS, content=request.body)
        for request in requests_of(changes)
    ]

    async def run() -> None:
        async with AiohttpTransport(limits=httpx.Limits(max_connections=CONCURRENCY)) as transport:
            await _each(requests, lambda request: _through(transport, request))

    return run


def _sockets(url: str, changes: Changes) -> Prepared:
    """Bytes that are ready, through sockets that do nothing else."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    messages = [
        f"POST {one.path} HTTP/1.1\r\nhost: {host}\r\n{lines}content-length: {len(one.body)}\r\n\r\n".encode()
        + one.body
        for one in requests_of(changes)
    ]

    async def run() -> None:
        ways = [await asyncio.open_connection(host, port) for _ in range(CONCURRENCY)]

        async def send(message: bytes) -> None:
            reader, writer = way = ways.pop()
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(
                int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            )
            ways.append(way)

        await _each(messages, send)

    return run


async def _through(transport: AiohttpTransport, request: httpx.Request) -> None:
    response = await transport.handle_async_request(request)
    await response.aread()
    await response.aclose()
    assert response.status_code == 201


async def _each(items: Iterable[Item], send: Callable[[Item], Awaitable[None]]) -> None:
    """Send items, so many at once."""
    left = iter(items)

    async def take() -> None:
        for item in left:
            await send(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(take())


def _records(changes: Changes) -> int:
    return sum(part.upserts.height for part in changes.values())


def _cpu() -> float:
    """User and system seconds of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


SENDERS: dict[str, Callable[[str, Changes], Prepared]] = {
    "load": _load,
    "workers": partial(_load, workers=2),
    "loop": _loop,
    "prebuilt": _prebuilt,
    "sockets": _sockets,
}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
