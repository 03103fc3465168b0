"""Requests signed by OAuth 1.0a are verified as a source does it."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from oauthlib.oauth1 import SignatureOnlyEndpoint  # type: ignore[import-untyped]
from oauthlib.oauth1.rfc5849.request_validator import RequestValidator  # type: ignore[import-untyped]

from connectors.oneroster.client import Client
from connectors.oneroster.target import Target, TargetError
from connectors.rest.reading import read_collection
from connectors.rest.signing import UNUSED, Key, Method, Signing
from tests.oneroster.districts import QUICK
from transforms.schemas import ENTITIES


class Source(RequestValidator):  # type: ignore[misc]
    """A source that knows one key."""

    enforce_ssl = True
    dummy_client = "nobody"
    client_key_length = nonce_length = (1, 40)
    allowed_signature_methods = ("HMAC-SHA1", "HMAC-SHA256")

    def validate_client_key(self, client_key: str, request: object) -> bool:  # noqa: ARG002
        """Know the one key."""
        return client_key == "larkspur"

    def validate_timestamp_and_nonce(self, *_: object, **__: object) -> bool:
        """Take any."""
        return True

    def get_client_secret(self, client_key: str, request: object) -> str:  # noqa: ARG002
        """Give the secret of any key."""
        return "hunter2"


def read(secret: str, method: Method) -> list[str]:
    """Give the ids that are read of orgs."""

    def handler(request: httpx.Request) -> httpx.Response:
        valid, _ = SignatureOnlyEndpoint(Source()).validate_request(str(request.url), "GET", headers=dict(request.headers) | {"Authorization": request.headers["authorization"]})  # fmt: skip
        if not valid:
            return httpx.Response(401)
        return httpx.Response(200, json={"orgs": [{"sourcedId": "d"}]}, headers={"X-Total-Count": "1"})

    async def run() -> list[str]:
        transport = Signing(Key("larkspur", secret, method), httpx.MockTransport(handler))
        target = Target("https://sis.example.edu", access_token=UNUSED, patience=QUICK)
        async with Client(target, transport) as client:
            pages = await read_collection(
                client, ENTITIES["orgs"], "1.1", "dateLastModified>'2026-11-24T00:00:00.000Z'"
            )
        return [record["sourcedId"] for page in pages for record in page]

    return asyncio.run(run())


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
def test_a_signed_request_is_answered(method: Method) -> None:
    """Its filter is part of what is signed."""
    assert read("hunter2", method) == ["d"]


def test_a_signature_that_is_refused_ends_the_run() -> None:
    """The secret is not told."""
    with pytest.raises(TargetError, match=r"sis\.example\.edu refuses the signature") as caught:
        read("wrong", "HMAC-SHA256")
    assert "wrong" not in str(caught.value)
