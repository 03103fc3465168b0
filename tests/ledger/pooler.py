"""A stand-in for a connection pooler such as PgBouncer, in front of the server of the tests.

It does what PgBouncer's documentation says of `pool_mode`. With `transaction`, a connection of the
server is a client's for the length of a transaction, and then the next one's. With `statement`,
transactions of several statements are refused. A client that leaves in the middle of a transaction
takes the server's connection with it. Everything else passes through as it is, prepared statements
and settings of a session included. Nobody has to sign in.
"""

from __future__ import annotations

import os
import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from tests.ledger.server import Server

# Messages of PostgreSQL's protocol, version 3 (its documentation, "Frontend/Backend Protocol").
SSL, GSS = 80877103, 80877104
QUERY, SYNC, TERMINATE, READY = b"Q", b"S", b"X", b"Z"
IDLE = b"I"
SIGNED_IN = b"R" + struct.pack("!II", 8, 0)
REFUSAL = "transaction blocks not allowed in statement pooling mode"
REPORTED = ("server_version", "server_encoding", "client_encoding", "standard_conforming_strings")


class Pooler:
    """Serves the clients of one database with a few connections, the one that was free longest first."""

    def __init__(self, address: str, mode: str, size: int) -> None:
        self._mode = mode
        self._free: queue.Queue[_ServerConnection | None] = queue.Queue()
        for _ in range(size):
            self._free.put(None)
        self._address = address
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no longer, and close the connections that are free."""
        self._listener.close()
        with suppress(queue.Empty):
            while True:
                if server := self._free.get_nowait():
                    server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(ConnectionError):
            self._greet(client)
            while request := _request(client):
                server = self._free.get() or _ServerConnection(self._address)
                try:
                    whole = self._transaction(client, server.socket, request)
                except ConnectionError:
                    whole = False
                if whole:
                    self._free.put(server)
                else:
                    server.close()
                    self._free.put(None)
                    return

    def _greet(self, client: socket.socket) -> None:
        while True:
            (size,) = struct.unpack("!I", _exactly(client, 4))
            body = _exactly(client, size - 4)
            if struct.unpack("!I", body[:4])[0] not in (SSL, GSS):
                break
            client.sendall(b"N")
        with psycopg.connect(self._address) as connection:
            reported = {one: connection.info.parameter_status(one) or "" for one in REPORTED}
        parameters = (f"{one}\0{value}\0".encode() for one, value in reported.items())
        client.sendall(SIGNED_IN + b"".join(_message(b"S", one) for one in parameters))
        client.sendall(_message(READY, IDLE))

    def _transaction(self, client: socket.socket, server: socket.socket, request: bytes) -> bool:
        """Pass on requests until the transaction ends; return whether it did."""
        while request:
            server.sendall(request)
            answer, state = _answer(server)
            if state != IDLE and self._mode == "statement":
                fields = f"SFATAL\0VFATAL\0C08P01\0M{REFUSAL}\0\0"
                client.sendall(_message(b"E", fields.encode()))
                return False
            client.sendall(answer)
            if state == IDLE:
                return True
            request = _request(client)
        return False


class _ServerConnection:
    """A connection of the server, on which psycopg has signed in."""

    def __init__(self, address: str) -> None:
        self._connection = psycopg.connect(address)
        self.socket = socket.socket(fileno=os.dup(self._connection.fileno()))
        self.socket.setblocking(True)

    def close(self) -> None:
        """Leave the server, whatever it is in the middle of."""
        self.socket.close()
        self._connection.close()


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _exactly(end: socket.socket, size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        if not (part := end.recv(size - len(parts))):
            raise ConnectionError
        parts += part
    return parts


def _next(end: socket.socket) -> tuple[bytes, bytes, bytes]:
    """Read a message: its kind, its body, and both as they came."""
    head = _exactly(end, 5)
    body = _exactly(end, struct.unpack("!I", head[1:])[0] - 4)
    return head[:1], body, head + body


def _request(client: socket.socket) -> bytes:
    """Read what the server answers together; blank if the client leaves."""
    whole, kind = b"", b""
    while kind not in (QUERY, SYNC):
        try:
            kind, _, message = _next(client)
        except ConnectionError:
            return b""
        if kind == TERMINATE:
            return b""
        whole += message
    return whole


def _answer(server: socket.socket) -> tuple[bytes, bytes]:
    """Read an answer, and the state of the transaction after it."""
    whole, kind, body = b"", b"", b""
    while kind != READY:
        kind, body, message = _next(server)
        whole += message
    return whole, body


@contextmanager
def pooled(server: Server, mode: str = "transaction", size: int = 4) -> Iterator[str]:
    """Put a pooler before a new database, and yield its address."""
    address = server.new()
    pooler = Pooler(address, mode, size)
    try:
        yield address.replace(f":{server.port}/", f":{pooler.port}/")
    finally:
        pooler.close()
