"""A stand-in for a provider's OneRoster API, which refuses whatever the provider's pages say is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from urllib.parse import parse_qs, urlsplit

from tests.rest.loopback import Answering, serving
from tests.rest.older import Json, Older, juniper
from tests.rest.verifying import KEY, SECRET, is_signed
from transforms.schemas.entity import Version

PATHS: dict[Version, str] = {
    "1.1": "/ims/oneroster/v1p1/",
    "1.2": "/ims/oneroster/rostering/v1p2/",
}
TOKEN, COOKIE = "a-token-of-juniper", "ARRAffinity=node-seven-of-juniper"
Answer = tuple[int, Json, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a provider wants of its clients."""

    # The address of the API below its host, up to `/ims/oneroster`.
    base: str = ""
    version: Version = "1.1"
    # Where tokens are given, with the query; blank if there are none.
    token: str = ""
    # How a client proves who it is: `basic`, `form`, or either.
    client_auth: str = ""
    # A request for a token must name a scope.
    scope: bool = False
    # Requests must have the cookie that came with the token.
    cookies: bool = False
    # The only signature that counts; blank if requests have a token.
    signature: str = ""
    # The largest page that may be asked for.
    largest_page: int = 10_000
    # Answers say how many records there are.
    totals: bool = True
    lacks: tuple[str, ...] = ()


@dataclass
class StandIn:
    """A server that keeps to its rules, what it holds, and what it was asked."""

    rules: Rules
    source: Older
    url: str = ""
    # The revisions of its records, one for each page; blank for none.
    revisions: Iterator[str] = field(default_factory=lambda: repeat(""))
    # The forms of requests for a token.
    tokens: list[dict[str, list[str]]] = field(default_factory=list)
    # What was refused: the status and the path.
    refused: list[tuple[int, str]] = field(default_factory=list)

    @property
    def api(self) -> str:
        """The address that a feed file has."""
        return self.url + self.rules.base

    @property
    def token_url(self) -> str:
        """The address of its token endpoint."""
        return self.url + self.rules.token

    def give_token(self, path: str, body: str, authorization: str) -> Answer:
        """Answer a request for a token."""
        form = parse_qs(body)
        self.tokens.append(form)
        if not self.rules.token or path != self.rules.token:
            return 404, {}, {}
        in_form = [KEY] == form.get("client_id") and [SECRET] == form.get("client_secret")
        basic = f"Basic {base64.b64encode(f'{KEY}:{SECRET}'.encode()).decode()}" == authorization
        known = {"basic": basic, "form": in_form, "": basic or in_form}[self.rules.client_auth]
        if not known:
            return 401, {"error": "invalid_client"}, {}
        if self.rules.scope and "scope" not in form:
            return 400, {"error": "invalid_scope"}, {}
        answer = {"access_token": TOKEN, "token_type": "bearer", "expires_in": "3600"}
        return 200, answer, {"Set-Cookie": f"{COOKIE}; path=/; HttpOnly"}

    def give_page(self, path: str, authorization: str, cookie: str) -> Answer:
        """Answer a request for records."""
        rules, parts = self.rules, urlsplit(path)
        begin = rules.base + PATHS[rules.version]
        if not parts.path.startswith(begin):
            return 404, {}, {}
        if rules.signature:
            known = f'oauth_signature_method="{rules.signature}"' in authorization and is_signed(
                self.url + path, authorization
            )
        else:
            known = authorization == f"Bearer {TOKEN}" and (not rules.cookies or COOKIE in cookie)
        if not known:
            return 401, {}, {}
        query, collection = parse_qs(parts.query), parts.path.removeprefix(begin)
        if collection in rules.lacks:
            return 404, {}, {}
        if int(query.get("limit", ["1"])[0]) > rules.largest_page:
            return 400, {"imsx_description": "the limit is too large"}, {}
        status, body, headers = self.source.page(collection, query)
        revision = next(self.revisions)
        own = {"x-perm-rev": revision} if revision else {}
        return status, body, (headers if rules.totals else {}) | own


@contextmanager
def stand_in(rules: Rules) -> Iterator[StandIn]:
    """Serve a district by the rules of a provider, while the body lasts."""
    records = juniper()
    if rules.version == "1.2":
        records["users"] = [_newer(user) for user in records["users"]]
    served = StandIn(rules, Older(records))

    class Handler(Answering):
        def post(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            self.answer(*served.give_token(self.path, body, self.headers.get("Authorization", "")))

        def get(self) -> None:
            given = (self.headers.get(name, "") for name in ("Authorization", "Cookie"))
            self.answer(*served.give_page(self.path, *given))

        def answer(self, status: int, body: Json, headers: dict[str, str]) -> None:
            if status >= 400:
                served.refused.append((status, self.path))
            self.give(status, json.dumps(body).encode(), headers.items())

    with serving(Handler) as served.url:
        yield served


def _newer(user: Json) -> Json:
    """Write a user as version 1.2 does: with a role at each organization."""
    kept = {name: value for name, value in user.items() if name not in ("role", "orgs")}
    kinds = ["primary", *["secondary"] * len(user["orgs"])]
    roles = [
        {"roleType": kind, "role": user["role"], "org": org}
        for kind, org in zip(kinds, user["orgs"], strict=False)
    ]
    return kept | {"roles": roles}
