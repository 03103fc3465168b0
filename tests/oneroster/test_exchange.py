"""The target's message about a failure may be shown to people, so it must not have our credentials."""

from __future__ import annotations

import asyncio
import base64
import json
from urllib.parse import quote_plus

import httpx
import pytest

from connectors.oneroster import client as hiding
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.target import Endpoint

USERS = TIMEBACK.collections["users"]
TOKEN = "opaque/token+of=larkspur"
SECRET = "larkspur's/secret ö"
BASIC = base64.b64encode(f"the-id:{SECRET}".encode()).decode()
SPELLINGS = {
    "plain": TOKEN,
    "with slashes escaped": TOKEN.replace("/", "\\/"),
    "the secret": SECRET,
    "the secret, escaped": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "the secret in a form": quote_plus(SECRET),
    "the secret in a header": BASIC,
}


def detail(status: int, body: bytes) -> str:
    """Have a write answered, and return the detail that is reported."""

    async def answer() -> wire.Response:
        def handler(request: httpx.Request) -> httpx.Response:
            return httpx.Response(status, content=body)

        target = Endpoint(
            "https://api.example.edu", "", "the-id", SECRET, access_token=TOKEN, profile=TIMEBACK
        )
        async with Client(target, httpx.MockTransport(handler)) as client:
            return await client.send(request)

    request = wire.create(USERS, {"sourcedId": "bo", "givenName": "Bo"})
    return wire.outcome_of(request, asyncio.run(answer())).detail


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize(
    ("status", "told"), [(422, 422), (200, 422)], ids=["refused", "refused inside of a success"]
)
def test_credentials_that_the_target_repeats_are_hidden(
    status: int, told: int, spelled: str
) -> None:
    """The rest of the message is reported."""
    failure = {
        "imsx_codeMajor": "failure",
        "imsx_CodeMinor": {"imsx_codeMinorField": [{"imsx_codeMinorFieldValue": "invaliddata"}]},
    }
    body = json.dumps({**failure, "imsx_description": "Bearer TOKEN may not write users"}).replace(
        "TOKEN", spelled
    )

    assert f"HTTP {told}: Bearer ... may not write users" == detail(status, body.encode())


def test_a_secret_that_the_target_takes_for_an_id_is_hidden() -> None:
    """The id of a record that was made elsewhere is reported too."""
    pairs = {"suppliedSourcedId": "bo", "allocatedSourcedId": SECRET}

    assert "under another id, '...', where" in detail(
        201, json.dumps({"sourcedIdPairs": pairs}).encode()
    )


@pytest.mark.parametrize(
    ("token_host", "cookies", "sent"),
    [
        ("api.example.edu", True, "node=seven-of-larkspur"),
        ("api.example.edu", False, ""),
        # They belong to the host that set them.
        ("login.example.edu", True, ""),
    ],
)
def test_cookies_of_a_token_go_to_their_own_host_and_are_hidden(
    token_host: str, cookies: bool, sent: str
) -> None:
    """Only if the endpoint is set to send them."""
    found = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            headers = {"Set-Cookie": "node=seven-of-larkspur; Path=/; Secure; HttpOnly"}
            return httpx.Response(200, json={"access_token": TOKEN}, headers=headers)
        found.append(request.headers.get("cookie", ""))
        return httpx.Response(400, json={"imsx_description": "no node seven-of-larkspur"})

    async def answer() -> wire.Response:
        target = Endpoint(
            "https://api.example.edu",
            f"https://{token_host}/token",
            "the-id",
            SECRET,
            cookies=cookies,
            profile=TIMEBACK,
        )
        async with Client(target, httpx.MockTransport(handler)) as client:
            return await client.send(wire.Request("GET", "/users"))

    body = asyncio.run(answer()).body

    assert [sent] == found
    assert b"no node ..." in body


def test_a_short_secret_is_a_word() -> None:
    """It cannot be distinguished from others."""
    assert () == hiding.credential_spellings(
        Endpoint("https://api.example.edu", "", "the-id", "school", profile=TIMEBACK)
    )
