"""One token for all requests, in time, and no secret in any message."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.oneroster import wire
from connectors.oneroster.auth import Token
from connectors.oneroster.client import Client
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.target import AccessRefused, ClientAuth, Endpoint, TargetError
from tests.oneroster.districts import QUICK

TARGET = Endpoint(
    "https://api.example.edu",
    "https://login.example.edu/oauth2/token",
    "the-id",
    "the-secret",
    patience=QUICK,
    profile=TIMEBACK,
)
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """A clock that is set by hand, in seconds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class TokenEndpoint:
    """A token endpoint that remembers what it was asked and numbers its tokens."""

    def __init__(self, answer: Handler | None = None, lifetime: object = 3600) -> None:
        self.asked: list[httpx.Request] = []
        self.answer = answer
        self._lifetime = lifetime

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        await asyncio.sleep(0)
        if self.answer:
            return self.answer(request)
        return httpx.Response(
            200, json={"access_token": f"t{len(self.asked)}", "expires_in": self._lifetime}
        )


def token(endpoint: TokenEndpoint, clock: Clock | None = None, target: Endpoint = TARGET) -> Token:
    """Make a token that asks the endpoint."""
    return Token(
        target, httpx.AsyncClient(transport=httpx.MockTransport(endpoint)), clock or Clock()
    )


def fields(request: httpx.Request) -> dict[str, list[str]]:
    """Read the form that was sent."""
    return parse_qs(request.content.decode())


def test_one_token_serves_many_requests_at_once() -> None:
    """Concurrent requests share one fetch."""
    endpoint = TokenEndpoint()

    async def run() -> list[str]:
        shared = token(endpoint)
        return list(await asyncio.gather(*(shared.current() for _ in range(50))))

    assert asyncio.run(run()) == ["t1"] * 50
    assert len(endpoint.asked) == 1


def test_credentials_go_as_form_fields() -> None:
    """The form is what the target documents (section 1)."""
    endpoint = TokenEndpoint()

    asyncio.run(token(endpoint).current())

    assert str(endpoint.asked[0].url) == TARGET.token_url
    assert fields(endpoint.asked[0]) == {
        "grant_type": ["client_credentials"],
        "client_id": ["the-id"],
        "client_secret": ["the-secret"],
    }


@pytest.mark.parametrize("status", [400, 401])
def test_credentials_go_as_basic_where_the_form_is_refused(status: int) -> None:
    """Other endpoints want HTTP Basic, and then no credentials in the form."""

    def basic_only(request: httpx.Request) -> httpx.Response:
        basic = base64.b64encode(b"the-id:the-secret").decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return httpx.Response(status, json={"error": "invalid_client"})
        return httpx.Response(200, json={"access_token": "b", "token_type": "Bearer"})

    endpoint = TokenEndpoint(basic_only)

    assert asyncio.run(token(endpoint).current()) == "b"
    assert fields(endpoint.asked[1]) == {"grant_type": ["client_credentials"]}


@pytest.mark.parametrize(
    ("client_auth", "expected"),
    [
        ("basic", [(True, {"grant_type": ["client_credentials"], "scope": ["core names"]})]),
        (
            "form",
            [
                (
                    False,
                    {
                        "grant_type": ["client_credentials"],
                        "scope": ["core names"],
                        "client_id": ["the-id"],
                        "client_secret": ["the-secret"],
                    },
                )
            ],
        ),
    ],
)
def test_a_target_says_how_a_token_is_asked_for(
    client_auth: ClientAuth, expected: list[tuple[bool, dict[str, list[str]]]]
) -> None:
    """Once, in that way, for the scope that it names, at an address with a query."""
    endpoint = TokenEndpoint(lambda _: httpx.Response(401, json={"error": "invalid_client"}))
    target = replace(
        TARGET,
        token_url="https://login.example.edu/oauth2/token?appName=roster",
        scope="core names",
        client_auth=client_auth,
    )

    with pytest.raises(AccessRefused) as caught:
        asyncio.run(token(endpoint, target=target).current())

    assert expected == [
        (one.headers.get("authorization", "").startswith("Basic "), fields(one))
        for one in endpoint.asked
    ]
    assert 'and the scope "core names"' in str(caught.value)
    assert ["appName=roster"] == [one.url.query.decode() for one in endpoint.asked]
    assert ("token request", 401, "invalid_client") == (
        caught.value.proof,
        caught.value.status,
        caught.value.code,
    )


@pytest.mark.parametrize(
    ("lifetime", "good_until"),
    [
        (3600, 3540),
        (100, 50),
        ("1814", 1754),
        ("soon", 3540),
        (None, 3540),
        (-5, 3540),
        (3600.0, 3540),
        (10**400, 365 * 86_400 - 60),
    ],
)
def test_a_token_is_renewed_a_minute_early(lifetime: object, good_until: int) -> None:
    """A request that is under way when its token expires would fail; a short token is used for half its life."""
    endpoint, clock = TokenEndpoint(lifetime=lifetime), Clock()

    async def run() -> list[str]:
        shared = token(endpoint, clock)
        tokens = [await shared.current()]
        for second in (good_until - 1, good_until):
            clock.now = 1000 + second
            tokens.append(await shared.current())
        return tokens

    assert asyncio.run(run()) == ["t1", "t1", "t2"]


def test_a_refused_token_is_renewed_once_for_all() -> None:
    """Requests that were refused together wait for one fresh token."""
    endpoint = TokenEndpoint()

    async def run() -> list[str]:
        shared = token(endpoint)
        await shared.current()
        return list(await asyncio.gather(*(shared.current(refused="t1") for _ in range(10))))

    assert asyncio.run(run()) == ["t2"] * 10


def test_a_ready_token_is_used_as_it_is() -> None:
    """Nobody is asked for a token that is there."""
    endpoint = TokenEndpoint()

    assert (
        asyncio.run(
            token(
                endpoint, target=Endpoint("https://x", access_token="ready", profile=TIMEBACK)
            ).current()
        )
        == "ready"
    )
    assert endpoint.asked == []


def test_a_refused_ready_token_ends_the_run() -> None:
    """Without a client id there is no other."""
    shared = token(
        TokenEndpoint(),
        target=Endpoint("https://api.example.edu", access_token="ready", profile=TIMEBACK),
    )

    with pytest.raises(
        TargetError, match=r"api\.example\.edu refused the access token \(HTTP 401\)"
    ) as error:
        asyncio.run(shared.current(refused="ready"))

    assert "ready" not in str(error.value)


def broken(request: httpx.Request) -> httpx.Response:
    """Fail as a network does."""
    raise httpx.ReadTimeout("slow", request=request)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            lambda request: httpx.Response(401, json={"error": "invalid_client"}),
            r"\(HTTP 401, invalid_client\)",
        ),
        (
            lambda request: httpx.Response(403, json={"error": request.content.decode()}),
            r"\(HTTP 403\)",
        ),
        (lambda request: httpx.Response(200, json={"token": "the-secret"}), r"\(HTTP 200\)"),
        (
            lambda request: httpx.Response(302, headers={"location": "https://evil.example"}),
            r"\(HTTP 302\)",
        ),
        (lambda request: httpx.Response(502, html="<h1>"), r"\(HTTP 502\)"),
        (
            lambda request: httpx.Response(200, content=b'{"in":' * 200 + b"1" + b"}" * 200),
            "gave no token, but an answer nested more",
        ),
        (
            lambda request: httpx.Response(200, json={"access_token": "t" * 2_000_000}),
            "gave no token, but an answer of more than",
        ),
        (broken, r"did not respond \(ReadTimeout\)"),
    ],
)
def test_no_token_names_host_status_and_next_step(answer: Handler, said: str) -> None:
    """The message says what to do, and never has a secret, even if the endpoint repeats it."""
    with pytest.raises(
        TargetError, match=rf"login\.example\.edu.* {said}.*Check the token address"
    ) as error:
        asyncio.run(token(TokenEndpoint(answer)).current())

    assert "the-secret" not in str(error.value)


def test_an_endpoint_that_gave_a_token_before_is_asked_for_longer() -> None:
    """That it is away for a moment does not end a run that is under way."""
    answers = iter([*[broken] * 5, None])
    endpoint = TokenEndpoint()

    async def run() -> str:
        shared = token(endpoint)
        await shared.current()
        endpoint.answer = lambda request: (
            answer(request)
            if (answer := next(answers))
            else httpx.Response(200, json={"access_token": "new"})
        )
        return await shared.current(refused="t1")

    assert "new" == asyncio.run(run())


def test_waiting_requests_share_a_failure() -> None:
    """An endpoint that refuses us is not asked again by everybody who waited."""
    endpoint = TokenEndpoint(lambda request: httpx.Response(403))

    async def run() -> list[str | BaseException]:
        shared = token(endpoint)
        return list(
            await asyncio.gather(*(shared.current() for _ in range(10)), return_exceptions=True)
        )

    assert [type(error) for error in asyncio.run(run())] == [AccessRefused] * 10
    assert len(endpoint.asked) == 1


def test_a_target_hides_its_credentials() -> None:
    """Whoever prints settings prints no secret."""
    shown = repr(
        Endpoint(
            "https://api.example.edu", "", "the-id", "the-secret", "the-token", profile=TIMEBACK
        )
    )

    assert not {word for word in ("the-id", "the-secret", "the-token") if word in shown}


def test_a_host_is_named_without_credentials() -> None:
    """An address may hold a password."""
    assert (
        Endpoint("https://me:secret@api.example.edu:8443/base", profile=TIMEBACK).host
        == "api.example.edu:8443"
    )


def test_a_secret_that_looks_like_an_error_code_is_not_told() -> None:
    """Whatever the endpoint says."""
    target = replace(TARGET, client_secret="larkspur_secret")

    with pytest.raises(TargetError, match=r"gave no token \(HTTP 401\)\."):
        asyncio.run(
            token(
                TokenEndpoint(
                    lambda request: httpx.Response(401, json={"error": "larkspur_secret"})
                ),
                target=target,
            ).current()
        )


def test_a_token_is_asked_for_in_our_name() -> None:
    """As every other request is sent."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["user-agent"])
        return httpx.Response(200, json={"access_token": "t"})

    async def run() -> None:
        async with Client(TARGET, httpx.MockTransport(handler)) as client:
            await client.send(wire.read(TIMEBACK.collections["orgs"], "d"))

    asyncio.run(run())

    assert ["roster", "roster"] == seen
