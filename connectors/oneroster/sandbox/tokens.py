"""Access tokens: client credentials, as a form or as HTTP Basic.

Source: API reference, section 1. Tokens live for an hour.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse

from connectors.oneroster.sandbox.failures import Failure

LIFETIME_SECONDS = 3600


@dataclass
class Tokens:
    """The tokens that were given out, each with the time at which it ends."""

    clients: Mapping[str, str]
    ends: dict[str, float] = field(default_factory=dict)

    async def give(self, request: Request) -> JSONResponse:
        """Answer a token request."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        client, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if client not in self.clients or not secrets.compare_digest(self.clients[client].encode(), secret.encode()):
            return JSONResponse({"error": "invalid_client"}, 401)
        token = secrets.token_urlsafe(24)
        self.ends[token] = time.monotonic() + LIFETIME_SECONDS
        return JSONResponse({"access_token": token, "expires_in": LIFETIME_SECONDS, "token_type": "Bearer"})

    def expire(self) -> None:
        """Let every token end now."""
        self.ends.clear()

    def check(self, header: str) -> None:
        """Raise `Failure` unless the header holds a token that is good."""
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or self.ends.get(token, 0) < time.monotonic():
            raise Failure(401, "The access token is missing, unknown or expired.")


def _basic(request: Request) -> tuple[str, str] | None:
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client, secret
