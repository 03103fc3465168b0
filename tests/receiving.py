"""A receiver of notifications on loopback, which keeps them and can refuse them on request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Receiver:
    """How the receiver answers, and what it has received."""

    port: int = 0
    answer: int = 200  # the status of its responses
    location: str = ""  # the address to which it redirects; blank for none
    messages: list[dict[str, Any]] = field(default_factory=list)  # in order of arrival

    @property
    def address(self) -> str:
        """Its address for apprise. The name and the password in it are secrets."""
        return f"json://caller:hunter2hunter2@127.0.0.1:{self.port}/inbox"

    @property
    def titles(self) -> list[str]:
        """The titles of the messages since the last call."""
        titles = [message["title"] for message in self.messages]
        self.messages.clear()
        return titles


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Start a receiver on a free port."""
    here = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            here.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(here.answer)
            if here.location:
                self.send_header("Location", here.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.port = server.server_port
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
