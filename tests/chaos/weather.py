"""A target with faults: it answers, but not always, not always in JSON, and sometimes too late."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from time import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
LATER = (
    b'{"imsx_codeMajor": "failure", "imsx_severity": "error", '
    b'"imsx_description": "Please try again."}'
)
KINDS = ("busy", "busy_until", "reset", "lost", "error", "page", "unavailable", "expired")


class Weather:
    """An ASGI middleware around a sandbox that disturbs some requests."""

    def __init__(self, seed: int, bad: float) -> None:
        self._chance = random.Random(seed)
        self.bad = bad  # the probability that a request is disturbed
        self.expire: Callable[[], None] = lambda: None  # makes every token expire
        self.met: Counter[str] = Counter()  # disturbed requests by kind

    def clear_up(self) -> None:
        """Disturb no request from now on."""
        self.bad = 0.0

    def over(self, app: ASGIApp) -> ASGIApp:
        """Return the application as clients see it."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            kind = self._chance.choice(KINDS) if self._chance.random() < self.bad else ""
            if not kind or scope["type"] != "http":
                await app(scope, receive, send)
                return
            self.met[kind] += 1
            await self._trouble(kind, app, scope, receive, send)

        return answer

    async def _trouble(
        self, kind: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        match kind:
            case "busy":
                await respond(send, 429, b"", {"retry-after": "0"})
            case "busy_until":
                await respond(send, 429, LATER, {"retry-after": formatdate(time(), usegmt=True)})
            case "error":
                await respond(send, 500, LATER)
            case "page":
                await respond(send, 502, PAGE, {"content-type": "text/html"})
            case "unavailable":
                await respond(send, 503, b"")
            case "reset":
                await hang_up(send)
            case "lost":
                await app(scope, receive, _nowhere)
                await hang_up(send)
            case "expired":
                self.expire()
                await app(scope, receive, send)


async def respond(
    send: Send, status: int, body: bytes, headers: dict[str, str] | None = None
) -> None:
    """Send a complete response."""
    named = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*named, length]})
    await send({"type": "http.response.body", "body": body})


async def hang_up(send: Send) -> None:
    """Start a response, and close the connection in the middle of it."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]}
    )
    await send({"type": "http.response.body", "body": b'{"', "more_body": True})


async def _nowhere(_: Message) -> None:
    """Discard the target's response."""
