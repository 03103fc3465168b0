"""The requests that the sandbox receives, as an ASGI middleware sees them."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Headers that the transport adds. They depend on its release.
OF_TRANSPORT = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
API = ["ims", "oneroster"]
# Collections with two parts in their path after the version.
IN_TWO_PARTS = {"courses/components", "courses/component-resources"}
# The parts of headers that vary: the token, and the release of the library that fetches it.
TOKEN, RELEASE = re.compile(r"(?<=^Bearer )[\w-]{32}$"), re.compile(r"(?<=^python-httpx/)[\d.]+$")
WRITES = ("POST", "PUT", "PATCH")


@dataclass
class Request:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str = ""
    status: int = 0  # of the response; 0 for none yet

    @cached_property
    def address(self) -> tuple[str, str]:
        """The collection and the id of the request.

        A list has no id. For a request outside the API, the collection is the complete path.
        """
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:2] != API or len(parts) < 5:
            return self.path, ""
        size = 2 if "/".join(parts[4:6]) in IN_TWO_PARTS else 1
        collection, rest = "/".join(parts[4 : 4 + size]), parts[4 + size :]
        return collection, rest[0] if rest else self._in_body

    @property
    def _in_body(self) -> str:
        """The id of a record that is created: `{"user": {"sourcedId": ...}}`."""
        record = next(iter(json.loads(self.body).values())) if self.body.startswith("{") else {}
        return str(record.get("sourcedId", ""))

    @cached_property
    def names(self) -> frozenset[str]:
        """The ids that the body names."""
        return frozenset(_ids(json.loads(self.body))) if self.body.startswith("{") else frozenset()


def _ids(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from [str(inner)] if name == "sourcedId" else _ids(inner)
    elif isinstance(value, list):
        yield from (one for inner in value for one in _ids(inner))


class Log:
    """Keeps each request as it arrives."""

    def __init__(self) -> None:
        self._requests: list[Request] = []
        self._lock = threading.Lock()

    def over(self, app: ASGIApp) -> ASGIApp:
        """Return the application as clients see it."""

        async def note(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            request = _request(scope)
            with self._lock:
                self._requests.append(request)

            async def heard() -> Message:
                message = await receive()
                request.body += message.get("body", b"").decode()
                return message

            async def answered(message: Message) -> None:
                request.status = message.get("status", request.status)
                await send(message)

            await app(scope, heard, answered)

        return note

    def take(self) -> list[Request]:
        """Return the requests since the last time, in the order in which they arrived."""
        with self._lock:
            taken, self._requests = self._requests, []
        return taken


def _request(scope: Scope) -> Request:
    query = scope["query_string"].decode()
    headers = {name.decode(): value.decode("latin-1") for name, value in sorted(scope["headers"])}
    ours = {name: _masked(value) for name, value in headers.items() if name not in OF_TRANSPORT}
    return Request(
        scope["method"], scope["raw_path"].decode() + (f"?{query}" if query else ""), ours
    )


def _masked(header: str) -> str:
    return RELEASE.sub("RELEASE", TOKEN.sub("TOKEN", header))


def written(requests: list[Request]) -> Iterator[str]:
    """Yield requests as lines.

    The first lines are the headers that the program set: each set of headers once, with the number
    of its requests.
    """
    headers = Counter(
        " | ".join(f"{name}: {value}" for name, value in one.headers.items()) for one in requests
    )
    yield from (f"{count} with {text}" for text, count in sorted(headers.items()))
    yield from (f"{one.method} {one.path} {one.status} {one.body}".rstrip() for one in requests)
