"""A feed, and a real process that loads it over HTTP, for tests that stop, kill or starve it."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from tests import processes
from tests.rosters import drop
from tests.running import Run, roster

FEED = """
district = "larkspur"
drop = "drop"
[target]
url = "{url}"
token_url = "{url}/oauth2/token"
client_id_env = "LARKSPUR_ID"
client_secret_env = "LARKSPUR_SECRET"
patience_seconds = {patience}
batch_size = {batch}
"""
# How long a test waits for what must come: only a hung run takes so long, on any machine.
PATIENCE_SECONDS = 240.0
CREDENTIALS = {"LARKSPUR_ID": "sandbox", "LARKSPUR_SECRET": "sandbox"}


@dataclass(frozen=True)
class Create:
    """A create request on its way to the target. A test may answer it with `send`."""

    body: bytes
    receive: Receive
    send: Send
    pass_on: Callable[[Send], Awaitable[None]]


# Decides about a create request; returns True if it is answered, or never will be.
Meet = Callable[[Create], Awaitable[bool]]


@dataclass(frozen=True)
class Feed:
    """A feed of schools with its file, state and target."""

    folder: Path
    sandbox: Sandbox

    def schools(self, count: int, first: int = 0, **cells: str) -> None:
        """Write a drop of `count` schools without a district."""
        numbers = range(first, first + count)
        rows = [
            {"sourcedId": f"s{number:04}", "name": "Elm", "type": "school"} | cells
            for number in numbers
        ]
        drop(self.folder / "drop", {"orgs": rows})

    def configure(self, patience: float = 120, batch: int = 1000) -> None:
        """Write the feed file; `patience` is in seconds."""
        text = FEED.format(url=self.sandbox.url, patience=patience, batch=batch)
        (self.folder / "feed.toml").write_text(text)

    def sync(self, *options: str) -> Run:
        """Load the drop in this process."""
        feed, state = self.folder / "feed.toml", self.folder / "state"
        return roster("sync", feed, "--json", *options, state=state, environment=CREDENTIALS)

    def start(self) -> processes.Process:
        """Start a process that loads the drop."""
        words = ("sync", self.folder / "feed.toml", "--json", "--state", self.folder / "state")
        return processes.roster(self.folder, *words, environment=os.environ | CREDENTIALS)

    def wait_for(self, creates: int) -> None:
        """Wait until the target has received that many create requests in total."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.created < creates:
            assert time.monotonic() < until, f"only {self.created} creates came"
            time.sleep(0.002)

    @property
    def created(self) -> int:
        """The number of create requests that the target has received."""
        return sum(method == "POST" for method, _ in self.sandbox.requests.copy())

    @property
    def target_holds(self) -> set[str]:
        """The ids that are active in the target."""
        return set(self.sandbox.store.ids("orgs"))

    @property
    def ledger_holds(self) -> set[str]:
        """The ids that are active in the ledger."""
        with Ledger(self.folder / "state" / "ledger.db") as ledger:
            known = ledger.known(FeedKey(self.sandbox.url, "larkspur/feed")).get("orgs")
        return set() if known is None else set(known.filter(status="active")["sourcedId"])


def meeting(meet: Meet) -> Callable[[ASGIApp], ASGIApp]:
    """Return an ASGI middleware that calls `meet` for each create request."""

    def over(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if (
                scope["type"] != "http"
                or scope["method"] != "POST"
                or not scope["path"].endswith("/orgs/")
            ):
                await app(scope, receive, send)
                return
            body = await _body(receive)
            messages = iter([{"type": "http.request", "body": body}])

            async def again() -> Message:
                return next(messages, None) or await receive()

            async def pass_on(send: Send) -> None:
                await app(scope, again, send)

            if not await meet(Create(body, receive, send, pass_on)):
                await pass_on(send)

        return answer

    return over


async def _body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
