"""What handlers get of a request, and the access tokens that requests need."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.errors import ApiFailure
from connectors.oneroster.sandbox.read import ReadRequest
from connectors.oneroster.sandbox.resources import Resource
from connectors.oneroster.sandbox.store import SandboxStore
from transforms.payload import Json
from transforms.target_vocabulary import TargetVocabulary


@dataclass(frozen=True)
class Call:
    """One request, as handlers see it."""

    reading: ReadRequest
    ids: tuple[str, ...]  # the ids in the path
    query: Mapping[str, str]
    content: bytes  # the body

    @property
    def store(self) -> SandboxStore:
        """The store with the records."""
        return self.reading.store

    @property
    def collections(self) -> Mapping[str, Collection]:
        """The collections that are served, by name."""
        return self.reading.served.profile.collections

    @property
    def vocabulary(self) -> TargetVocabulary:
        """The vocabulary of the API's profile."""
        return self.reading.served.profile.vocabulary

    @property
    def by_name(self) -> Mapping[str, Resource]:
        """The collections and views that are served, by name."""
        return self.reading.served.by_name

    def wrapped(self, wrapper: str) -> Json:
        """Return the record in the body; 422 if there is none."""
        record = self.body().get(wrapper)
        if not isinstance(record, dict):
            raise ApiFailure(422, "The request body is not valid.", **{wrapper: "is required"})
        return record

    def body(self) -> Json:
        """Parse the body as a JSON object; 400 if it is not JSON."""
        try:
            body = json.loads(self.content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise ApiFailure(400, "The request body is not JSON.") from None
        return body if isinstance(body, dict) else {}


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


LIFETIME_SECONDS = 3600


@dataclass
class Tokens:
    """The access tokens of the sandbox's clients."""

    clients: Mapping[str, str]  # secrets by id
    ends: dict[str, float] = field(default_factory=dict)  # by token, its end as `time.monotonic()`

    async def give(self, request: Request) -> JSONResponse:
        """Answer a token request."""
        form = {
            name: values[0]
            for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()
        }
        client, secret = _basic_credentials(request) or (
            form.get("client_id", ""),
            form.get("client_secret", ""),
        )
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if client not in self.clients or not secrets.compare_digest(
            self.clients[client].encode(), secret.encode()
        ):
            return JSONResponse({"error": "invalid_client"}, 401)
        token = secrets.token_urlsafe(24)
        self.ends[token] = time.monotonic() + LIFETIME_SECONDS
        return JSONResponse(
            {"access_token": token, "expires_in": LIFETIME_SECONDS, "token_type": "Bearer"}
        )

    def expire(self) -> None:
        """End every token now."""
        self.ends.clear()

    def check(self, header: str) -> None:
        """Raise `ApiFailure` unless the header contains a valid token."""
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or self.ends.get(token, 0) < time.monotonic():
            raise ApiFailure(401, "The access token is missing, unknown or expired.")


def _basic_credentials(request: Request) -> tuple[str, str] | None:
    """Return id and secret from an `Authorization: Basic` header, None without such a header."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client, secret
