"""An HTTP server on loopback, for sources that answer as a test wants them to."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Answering(BaseHTTPRequestHandler):
    """Answers requests; a subclass says what `get` and `post` answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgment

    def do_GET(self) -> None:
        """Answer a reading."""
        self.get()

    def do_POST(self) -> None:
        """Answer a request for a token."""
        self.post()

    def get(self) -> None:
        """Refuse to be read."""
        self.send_error(HTTPStatus.NOT_IMPLEMENTED)

    def post(self) -> None:
        """Give no token."""
        self.send_error(HTTPStatus.NOT_IMPLEMENTED)

    def give(self, status: int, content: bytes, headers: Iterable[tuple[str, str]]) -> None:
        """Send an answer in JSON."""
        self.send_response(status)
        own = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        for name, value in [*own, *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing on standard error."""


@contextmanager
def serving(handler: type[Answering]) -> Iterator[str]:
    """Serve while the body lasts, and give the server's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
