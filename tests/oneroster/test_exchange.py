"""What the target says of a failure may be told to people, and so must not hold our token."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.target import Target

USERS = COLLECTIONS["users"]
TOKEN = "opaque/token+of=larkspur"


def detail(status: int, body: bytes) -> str:
    """Have a write answered, and give what is told of it."""

    async def answer() -> wire.Answer:
        def handler(request: httpx.Request) -> httpx.Response:
            return httpx.Response(status, content=body)

        target = Target("https://api.example.edu", access_token=TOKEN)
        async with Client(target, httpx.MockTransport(handler)) as client:
            return await client.send(request)

    request = wire.create(USERS, {"sourcedId": "bo", "givenName": "Bo"})
    return wire.understood(request, asyncio.run(answer())).detail


@pytest.mark.parametrize("spelled", [TOKEN, TOKEN.replace("/", "\\/")], ids=["plain", "with slashes escaped"])
@pytest.mark.parametrize(("status", "told"), [(422, 422), (200, 422)], ids=["refused", "refused inside of a success"])
def test_a_token_that_the_target_repeats_is_hidden(status: int, told: int, spelled: str) -> None:
    """The rest of what it says is told."""
    failure = {"imsx_codeMajor": "failure", "imsx_CodeMinor": {"imsx_codeMinorField": [{"imsx_codeMinorFieldValue": "invaliddata"}]}}  # fmt: skip
    body = json.dumps({**failure, "imsx_description": "Bearer TOKEN may not write users"}).replace("TOKEN", spelled)

    assert f"HTTP {told}: Bearer ... may not write users" == detail(status, body.encode())
