"""Requests signed by OAuth 1.0a are verified as a source does it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from connectors.oneroster.client import Client
from connectors.oneroster.profile import standard_profile
from connectors.oneroster.source import UNUSED, Method, SigningKey, SigningTransport, read_pages
from connectors.oneroster.target import Endpoint, TargetError
from tests.oneroster.districts import QUICK
from tests.rest.verifying import KEY, SECRET, is_signed


def read(secret: str, method: Method) -> list[str]:
    """Give the ids that are read of orgs."""

    def handler(request: httpx.Request) -> httpx.Response:
        if not is_signed(str(request.url), request.headers["authorization"]):
            return httpx.Response(401)
        return httpx.Response(
            200, json={"orgs": [{"sourcedId": "d"}]}, headers={"X-Total-Count": "1"}
        )

    async def run() -> list[str]:
        transport = SigningTransport(SigningKey(KEY, secret, method), httpx.MockTransport(handler))
        target = Endpoint(
            "https://sis.example.edu",
            access_token=UNUSED,
            patience=QUICK,
            profile=standard_profile("1.2"),
        )
        async with Client(target, transport) as client:
            found = read_pages(
                client, "/orgs", "orgs", "dateLastModified>'2026-11-24T00:00:00.000Z'"
            )
            return [record["sourcedId"] async for page in found for record in page]

    return asyncio.run(run())


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
def test_a_signed_request_is_answered(method: Method) -> None:
    """Its filter is part of what is signed."""
    assert read(SECRET, method) == ["d"]


def test_a_signature_that_is_refused_ends_the_run() -> None:
    """The secret is not told."""
    with pytest.raises(TargetError, match=r"sis\.example\.edu refuses the signature") as caught:
        read("wrong", "HMAC-SHA256")
    assert "wrong" not in str(caught.value)
