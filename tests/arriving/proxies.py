"""A proxy on loopback that breaks connections the way networks and busy servers do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

BLOCK = 4096


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Fault:
    """What happens to a connection, once the server has sent so many bytes."""

    after: int = 0
    stalls: bool = False  # the connection stays open, and no more bytes pass; or else it is cut
    goes_on: bool = False  # the connection is as it was
    act: Callable[[], None] = nothing  # what is done at that moment


CLOSED_AT_ONCE = Fault()
FINE: Fault | None = None


@dataclass
class Proxy:
    """Passes connections on to a port, each with the next fault; the last fault stays."""

    to: int
    faults: list[Fault | None]
    port: int = 0
    connections: int = 0
    _sockets: list[socket.socket] = field(default_factory=list)

    def pass_on(self, client: socket.socket) -> None:
        """Pass on one connection."""
        fault = self.faults[min(self.connections, len(self.faults) - 1)]
        self.connections += 1
        if fault == CLOSED_AT_ONCE:
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self.to))
        self._sockets += [client, server]
        for source, sink, this in ((client, server, None), (server, client, fault)):
            threading.Thread(target=_pump, args=(source, sink, this), daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        for one in self._sockets:
            _end(one)


@contextmanager
def proxy(to: int, *faults: Fault | None) -> Iterator[Proxy]:
    """Pass connections on while the body lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Proxy(to, list(faults), listening.getsockname()[1])
        thread = threading.Thread(target=_accept, args=(listening, made), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            _end(listening)
            thread.join()
            made.close()


def _accept(listening: socket.socket, made: Proxy) -> None:
    with suppress(OSError):
        while True:
            made.pass_on(listening.accept()[0])


def _pump(source: socket.socket, sink: socket.socket, fault: Fault | None) -> None:
    passed = 0
    with suppress(OSError):
        while block := source.recv(BLOCK):
            if fault and passed + len(block) > fault.after:
                fault.act()
                if fault.stalls:
                    return
                if not fault.goes_on:
                    break
                fault = None
            sink.sendall(block)
            passed += len(block)
    for one in (source, sink):
        _end(one)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
