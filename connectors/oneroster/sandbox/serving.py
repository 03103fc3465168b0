"""Serving the sandbox on loopback: in a thread for as long as a run needs it, or in the foreground."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.oneroster.collections import PREFIX
from connectors.oneroster.sandbox.application import application
from connectors.oneroster.sandbox.store import Store
from connectors.oneroster.sandbox.tokens import Tokens

HOST = "127.0.0.1"
CLIENTS = {"sandbox": "sandbox"}
REMEMBERED = 1_000_000
START_SECONDS = 10.0


class Sandbox:
    """The API on loopback while the context lasts. `requests` are the (method, path) that it served, tokens aside."""

    def __init__(self, database: Path | None, *, clients: Mapping[str, str] | None = None, port: int = 0,
                 wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> None:  # fmt: skip
        self._socket = _listening(port)
        self.store = Store(database)
        self.requests: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        app = application(self.store, clients or CLIENTS)
        self.tokens: Tokens = app.state.tokens
        self._server = uvicorn.Server(_settings(_remembering(wrap(app), self.requests)))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
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
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.store.close()


def serve_forever(database: Path, port: int, seed: bool, started: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; call `started` with the address once it listens."""
    listening = _listening(port)
    store = Store(database)
    if seed:
        store.seed()
    server = uvicorn.Server(_settings(application(store, CLIENTS)))
    started(f"http://{HOST}:{listening.getsockname()[1]}")
    try:
        server.run([listening])
    finally:
        listening.close()
        store.close()


def _listening(port: int) -> socket.socket:
    # Named as TCP, or asyncio leaves out TCP_NODELAY and each answer waits 40 ms for an acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise OSError(f"port {port} on {HOST} is taken ({error.strerror}); choose another") from error
    listening.listen(128)
    return listening


def _settings(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(app, access_log=False, log_level="error", lifespan="off", timeout_graceful_shutdown=1)


def _remembering(app: ASGIApp, requests: deque[tuple[str, str]]) -> ASGIApp:
    async def remember(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            requests.append((scope["method"], scope["path"]))
        await app(scope, receive, send)

    return remember
