"""A target that is as fast as one process can be: it takes every record under its id, after a latency that blocks nobody.

It has just enough of an Ed-Fi API's metadata that lightbeam sends to it as well.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TOKEN = json.dumps({"access_token": "bench", "token_type": "bearer", "expires_in": 3600}).encode()
# The order in which lightbeam is to send; it sends to the resources named here.
DEPENDENCIES = json.dumps(
    [
        {"resource": f"/ed-fi/{name}", "order": 1, "operations": ["Create"]}
        for name in ("users", "enrollments")
    ]
).encode()
CREATED = b'{"sourcedIdPairs":{"suppliedSourcedId":"%b","allocatedSourcedId":"%b"}}'
ID = b'"sourcedId":"'
END, LENGTH = b"\r\n\r\n", b"content-length:"


class Connection(asyncio.Protocol):
    """One client: requests come one after the other, each is answered `latency` seconds after its last byte."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._received += data
        head, end, rest = self._received.partition(END)
        if not end or len(rest) < _length(head):
            return
        self._received = b""
        answer = _answer(head, rest)
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)
        else:
            self._transport.write(answer)


def _length(head: bytes) -> int:
    _, found, after = head.lower().partition(LENGTH)
    return int(after.split(b"\r\n", 1)[0]) if found else 0


def _answer(head: bytes, sent: bytes) -> bytes:
    method, path, _ = head.split(b" ", 2)
    status, body = b"200 OK", b"{}"
    if path.endswith(b"/token"):
        body = TOKEN
    elif path.endswith(b"/dependencies"):
        body = DEPENDENCIES
    elif method == b"POST":
        sourced_id = sent.partition(ID)[2].partition(b'"')[0]
        status, body = b"201 Created", CREATED % (sourced_id, sourced_id)
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


async def _serve(latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(latency), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving(latency: float) -> Iterator[str]:
    """Give the address of a server in a process of its own, which ends with the context."""
    command = [sys.executable, "-m", "tests.bench.server", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


if __name__ == "__main__":
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    ) as runner:
        runner.run(_serve(float(sys.argv[1])))
