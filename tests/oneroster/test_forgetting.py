"""One person in the target: what is done with each record, and what cannot be done."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.oneroster.client import Client
from connectors.oneroster.forget import Forgotten, forget
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox, SandboxStore
from connectors.oneroster.sandbox.store import compact
from connectors.oneroster.target import Endpoint

USER = {
    "sourcedId": "u", "status": "active", "enabledUser": "true", "givenName": "Zephyrine", "familyName": "Quillon", "email": "z@example.edu",
    "roles": [{"roleType": "primary", "role": "student", "org": {"sourcedId": "s"}}],
}  # fmt: skip


def forgotten(sandbox: Sandbox, person: str, *friends: str) -> Forgotten:
    """Forget a person of whom we have sent the user alone."""

    async def run() -> Forgotten:
        async with Client(
            Endpoint(sandbox.url, sandbox.token_url, "sandbox", "sandbox", profile=TIMEBACK)
        ) as client:
            return await forget(client, person, {"users": [person]}, friends)

    return asyncio.run(run())


def test_a_record_that_the_target_lost_is_gone(sandbox: Sandbox) -> None:
    """There is nothing to blank, and nothing to delete."""
    done = forgotten(sandbox, "u", "a friend")

    assert (True, {"users": ["u"]}, ["a friend"]) == (done.is_done, done.deleted, done.unlinked)


def test_an_id_of_dots_cannot_be_addressed(sandbox: Sandbox) -> None:
    """It is reported, and no other record is hit."""
    done = forgotten(sandbox, "..")

    assert (False, {}, []) == (done.is_done, done.deleted, list(sandbox.requests))


def test_what_the_target_does_not_show_is_not_written() -> None:
    """Without a read nobody knows what a PUT would erase; the deletion needs none."""

    def unreadable(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["method"] == "GET":
                await JSONResponse(
                    {"imsx_codeMajor": "failure", "imsx_description": "Forbidden"}, 403
                )(scope, receive, send)
            else:
                await app(scope, receive, send)

        return answer

    with Sandbox(None, wrap=unreadable) as sandbox:
        sandbox.store.put(
            "orgs", {"sourcedId": "s", "status": "active", "name": "Elm", "type": "school"}
        )
        sandbox.store.put("users", USER)
        done = forgotten(sandbox, "u")

        record = sandbox.store.get("users", "u") or {}
        assert (["users"], {"users": ["u"]}) == ([name for name, _, _ in done.failed], done.deleted)
        assert ("Zephyrine", "tobedeleted") == (record["givenName"], record["status"])


@pytest.mark.parametrize("busy", [False, True])
def test_the_sandboxs_file_is_written_anew_unless_it_is_in_use(busy: bool, tmp_path: Path) -> None:
    """What was overwritten is in neither file nor journal; a program that is writing is not waited for for ever."""
    path = tmp_path / "sandbox.db"
    with closing(SandboxStore(path)) as store:
        store.put("users", USER)
        store.put("users", USER | {"givenName": "forgotten"})
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            if busy:
                other.execute("BEGIN IMMEDIATE")

            assert (not busy) == compact(path, wait=0)

        left = b"".join(one.read_bytes() for one in tmp_path.iterdir())
        assert busy == (b"Zephyrine" in left)
