"""A receiver of notifications on loopback: it keeps what it is sent, and may refuse it."""

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
    """What arrived, in order; `answer` is the status that it gives, and `location` where it sends people on to."""

    port: int = 0
    answer: int = 200
    location: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where apprise finds it; the name and the password are secrets."""
        return f"json://caller:hunter2hunter2@127.0.0.1:{self.port}/inbox"

    @property
    def titles(self) -> list[str]:
        """The titles of what arrived since somebody last asked."""
        found = [message["title"] for message in self.messages]
        self.messages.clear()
        return found


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Receive on a port of its own."""
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
            """Say nothing."""

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
