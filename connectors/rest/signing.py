"""OAuth 1.0a, two-legged, for sources of OneRoster 1.1: each request is signed, and no token is asked for.

Source: RFC 5849. Signed by oauthlib, which is proven: normalising what is signed has many corners.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import httpx
from oauthlib.oauth1 import Client as Signer  # type: ignore[import-untyped]

from connectors.oneroster.target import TargetError

Method = Literal["HMAC-SHA1", "HMAC-SHA256"]
# Stands where a token would: every request is signed instead.
UNUSED = "signed"
REFUSED = 401


@dataclass(frozen=True)
class Key:
    """What a source knows a client by; the secret stays out of the `repr`."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    method: Method = "HMAC-SHA256"


class Signing(httpx.AsyncBaseTransport):
    """Sends requests without a body, each signed with a key. A signature that is refused ends the run."""

    def __init__(self, key: Key, transport: httpx.AsyncBaseTransport) -> None:
        self._client = Signer(key.key, client_secret=key.secret, signature_method=key.method)
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sign a request and send it. Raises `TargetError` if the source refuses the signature."""
        _, headers, _ = self._client.sign(str(request.url), http_method=request.method)
        request.headers["authorization"] = headers["Authorization"]
        response = await self._transport.handle_async_request(request)
        if response.status_code == REFUSED:
            await response.aclose()
            raise TargetError(
                f"{request.url.host} refuses the signature (HTTP 401). Check the key, its secret, the signature method, "
                "and that the clock of this machine is right, and run again."
            )
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
