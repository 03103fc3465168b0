"""A target that does some things otherwise than the sandbox: what it meets on the way there may be changed or answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox, SandboxStore

Json = dict[str, Any]


@dataclass
class Met:
    """A request on its way; `record` and `query` may be changed. `before` is what the target holds of it, if anything."""

    method: str
    collection: str
    sourced_id: str
    record: Json
    query: dict[str, str]
    before: Json | None
    store: SandboxStore

    def lose(self) -> None:
        """Let the target lose the record altogether."""
        self.store.query(
            "DELETE FROM records WHERE collection = ? AND id = ?",
            (self.collection, self.sourced_id),
        )

    def keep(self, **properties: object) -> None:
        """Let the target hold the record with other properties."""
        self.store.put(
            self.collection, {**(self.before or {"sourcedId": self.sourced_id}), **properties}
        )


@dataclass(frozen=True)
class Reply:
    """An answer in the target's place."""

    status: int
    body: Json = field(default_factory=dict)
    headers: tuple[tuple[bytes, bytes], ...] = ()


# Answers a request, or gives None to let it pass, changed or not.
Meet = Callable[[Met], Reply | None]


@contextmanager
def odd(meet: Meet) -> Iterator[Sandbox]:
    """Serve a sandbox whose requests are met on their way."""
    served: list[Sandbox] = []

    def over(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not scope["path"].startswith(TIMEBACK.prefix):
                await app(scope, receive, send)
                return
            body = await _body(receive)
            met, wrapper = _met(scope, body, served[0].store)
            reply = meet(met)
            if reply:
                await _respond(send, reply)
                return
            written = json.dumps({wrapper: met.record}).encode() if wrapper else body
            messages = iter([{"type": "http.request", "body": written}])

            async def again() -> Message:
                return next(messages, None) or await receive()

            await app({**scope, "query_string": urlencode(met.query).encode()}, again, send)

        return answer

    with Sandbox(None, wrap=over) as sandbox:
        served.append(sandbox)
        yield sandbox


def _met(scope: Scope, body: bytes, store: SandboxStore) -> tuple[Met, str]:
    path = scope["path"].rstrip("/")
    paths = {one.path.rstrip("/"): one for one in TIMEBACK.collections.values()}
    place = path if path in paths else path.rpartition("/")[0]
    name = paths[place].name
    wrapper, record = next(iter(json.loads(body).items())) if body else ("", {})
    sourced_id = record.get("sourcedId") if path in paths else path.rpartition("/")[2]
    query = dict(parse_qsl(scope["query_string"].decode()))
    before = store.get(name, sourced_id or "")
    return Met(scope["method"], name, sourced_id or "", record, query, before, store), wrapper


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _respond(send: Send, reply: Reply) -> None:
    body = b"" if reply.status == 204 else json.dumps(reply.body).encode()
    headers = [(b"content-type", b"application/json"), *reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
