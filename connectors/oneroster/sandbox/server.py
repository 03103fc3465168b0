"""Serve the sandbox on loopback: in a thread while a run needs it, or in the foreground."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.oneroster.profile import TIMEBACK, TargetProfile
from connectors.oneroster.sandbox.app import application
from connectors.oneroster.sandbox.requests import Tokens
from connectors.oneroster.sandbox.store import SandboxStore

HOST = "127.0.0.1"
CLIENTS = {"sandbox": "sandbox"}
# How many requests a sandbox logs.
LOGGED_REQUESTS = 1_000_000
START_SECONDS, GRACE_SECONDS = 10.0, 1.0


class Sandbox:
    """A context in which the API is served on loopback.

    `requests` logs the method and path of each request, except those for tokens.
    """

    def __init__(
        self,
        database: Path | None,
        *,
        clients: Mapping[str, str] | None = None,
        port: int = 0,
        profile: TargetProfile = TIMEBACK,
        wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    ) -> None:
        self._socket = _listen(port)
        self.store = SandboxStore(database)
        self.requests: deque[tuple[str, str]] = deque(maxlen=LOGGED_REQUESTS)
        app = application(self.store, clients or CLIENTS, profile)
        self.tokens: Tokens = app.state.tokens
        self._server = _Server(_settings(_log_requests(wrap(app), profile.prefix, self.requests)))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), daemon=True
        )
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self.token_url = f"{self.url}/oauth2/token"

    def __enter__(self) -> Self:
        self._thread.start()
        until = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise OSError(f"the sandbox did not start on {self.url}")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._thread.join()
        self._socket.close()
        self.store.close()


class _Server(uvicorn.Server):
    """Serves until `stop` is called, and then stops at once.

    uvicorn 0.54 checks ten times a second whether to stop, and then waits 0.1 s before it checks
    its connections. A short run with the embedded sandbox would wait for both.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and store the event loop, which another thread wakes."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def stop(self) -> None:
        """Stop serving. Any thread can call this after the start, more than once."""
        with suppress(RuntimeError):  # the loop is closed: the server has stopped
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        """Serve until `stop` is called. Each second `on_tick` updates the date in the answers."""
        while not (self._stopping.is_set() or await self.on_tick(0)):
            await _wait(self._stopping.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and close idle connections. Active requests get a second to finish."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await _wait(self._wait_for_requests(), GRACE_SECONDS)
        for task in self.server_state.tasks:
            task.cancel()

    async def _wait_for_requests(self) -> None:
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0.001)


async def _wait(event: Coroutine[Any, Any, object], seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event, seconds)


def serve_forever(database: Path, port: int, seed: bool, started: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; call `started` with the address once it listens."""
    listening = _listen(port)
    store = SandboxStore(database)
    if seed:
        store.seed()
    server = uvicorn.Server(_settings(application(store, CLIENTS, TIMEBACK)))
    started(f"http://{HOST}:{listening.getsockname()[1]}")
    try:
        server.run([listening])
    finally:
        listening.close()
        store.close()


def _listen(port: int) -> socket.socket:
    # Without IPPROTO_TCP, asyncio does not set TCP_NODELAY, and each answer waits 40 ms for an
    # acknowledgment.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise OSError(
            f"port {port} on {HOST} is taken ({error.strerror}); choose another"
        ) from error
    listening.listen(128)
    return listening


def _settings(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=round(GRACE_SECONDS),
    )


def _log_requests(app: ASGIApp, prefix: str, requests: deque[tuple[str, str]]) -> ASGIApp:
    async def logging(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(prefix):
            requests.append((scope["method"], scope["path"]))
        await app(scope, receive, send)

    return logging
