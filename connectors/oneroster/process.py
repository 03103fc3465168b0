"""A process that runs errands for a load: it hears of a batch, runs it against the target and tells what came of it.

It has no ledger, and ends when the load does: its one way to the load is a socket, which is then closed.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

from connectors.oneroster.client import Client
from connectors.oneroster.messages import Batch, packed, received
from connectors.oneroster.parts import run
from connectors.oneroster.target import Stopped


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


async def _run(batch: Batch, client: Client, stop: asyncio.Event, writer: asyncio.StreamWriter) -> None:
    writer.write(packed(await run(batch, client, stop)))


if __name__ == "__main__":
    # It was started where its modules are; the paths that it is told are meant from where the run is.
    os.chdir(sys.argv[2])
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1]))))
