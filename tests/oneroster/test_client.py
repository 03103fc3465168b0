"""What is sent arrives whole, at the target and nowhere else; what is answered comes back as it is."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import httpx
import pytest

from connectors.oneroster import wire
from connectors.oneroster.client import Client, Exchange
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.retry import RetryPolicy
from connectors.oneroster.target import Endpoint, TargetError
from tests.oneroster.districts import QUICK

USERS = TIMEBACK.collections["users"]
GET = wire.read(USERS, "u1")
ONCE = RetryPolicy(attempts=1)
TOKENS = "https://login.example.edu/token"
Handler = Callable[[httpx.Request], httpx.Response]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def sent(
    handler: Handler, *requests: wire.Request, target: Endpoint | None = None
) -> tuple[list[wire.Response], int]:
    """Send requests to a stand-in for the target; give its answers and how many were counted."""

    async def run() -> tuple[list[wire.Response], int]:
        where = target or Endpoint(
            "https://api.example.edu", access_token="t", patience=QUICK, profile=TIMEBACK
        )
        async with Client(where, httpx.MockTransport(handler)) as client:
            return [await client.send(request) for request in requests], client.requests

    return asyncio.run(run())


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[Endpoint]:
    """Run a server that talks as it likes, on loopback, until it has said all."""
    ended: list[asyncio.Future[None]] = []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(end := asyncio.get_running_loop().create_future())
        with suppress(ConnectionError):
            await talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        end.set_result(None)

    async with await asyncio.start_server(conversation, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield Endpoint(
            f"http://127.0.0.1:{port}",
            access_token="t",
            request_seconds=0.3,
            patience=ONCE,
            profile=TIMEBACK,
        )
        # On a machine that is busy, a client may have given up before the server came to accept it.
        while not ended:
            await asyncio.sleep(0.01)
        await asyncio.gather(*ended)


def answered(talk: Talk, request: wire.Request = GET) -> wire.Response:
    """Send one request over real HTTP to a server that talks as it likes."""

    async def run() -> wire.Response:
        async with talking(talk) as target, Client(target) as client:
            return await client.send(request)

    return asyncio.run(run())


def test_a_request_arrives_whole() -> None:
    """Method, path with its escapes, token and body."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, content=b"{}")

    answers, counted = sent(
        handler, wire.create(USERS, {"sourcedId": "a/b"}), wire.read(USERS, "a/b?c")
    )

    assert (answers, counted) == ([wire.Response(201, b"{}")] * 2, 2)
    assert json.loads(seen[0].content) == {"user": {"sourcedId": "a/b"}}
    assert [request.url.raw_path for request in seen] == [
        b"/ims/oneroster/rostering/v1p2/users/",
        b"/ims/oneroster/rostering/v1p2/users/a%2Fb%3Fc",
    ]
    assert {request.headers["authorization"] for request in seen} == {"Bearer t"}
    assert {request.url.host for request in seen} == {"api.example.edu"}


@pytest.mark.parametrize(
    "sourced_id", ["a/b", "a?b#c", "a b", "é漢", "50%", "a+b", "a;b=c&d", "a%2Fb", "~.-_", "\\"]
)
def test_an_id_survives_real_http(sourced_id: str) -> None:
    """Two libraries parse the address on its way; neither may change where it leads."""
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")

    assert answered(listen, wire.read(USERS, sourced_id)).status == 204

    path = heard[0].split()[1].decode()
    assert httpx.URL(f"http://x{path}").path == f"/ims/oneroster/rostering/v1p2/users/{sourced_id}"
    assert path.count("/") == 6


def test_a_redirect_is_not_followed() -> None:
    """A token is for one host only."""
    hosts: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://evil.example/"})

    answers, _ = sent(handler, GET)

    assert ([answer.status for answer in answers], hosts) == ([307], ["api.example.edu"])


def test_a_path_cannot_lead_to_another_host() -> None:
    """What does not begin with a slash could become a part of the host's name."""
    with pytest.raises(ValueError, match="slash"):
        sent(lambda request: httpx.Response(200), wire.Request("GET", ".evil.example/"))


def test_a_401_gets_one_fresh_token_and_one_more_try() -> None:
    """Tokens can be revoked while a run is under way (section 1)."""
    tokens = iter(["old", "new"])

    def handler(request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKENS:
            return httpx.Response(200, json={"access_token": next(tokens)})
        return httpx.Response(
            200 if request.headers["authorization"] == "Bearer new" else 401, json={}
        )

    answers, counted = sent(
        handler,
        GET,
        GET,
        target=Endpoint("https://api.example.edu", TOKENS, "id", "secret", profile=TIMEBACK),
    )

    assert ([answer.status for answer in answers], counted) == ([200, 200], 3)


def test_a_fresh_token_that_is_refused_ends_the_run() -> None:
    """More tokens would not help."""

    def handler(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, json={"access_token": str(id(request))})
            if str(request.url) == TOKENS
            else httpx.Response(401)
        )

    with pytest.raises(TargetError, match=r"api\.example\.edu refuses a fresh token \(HTTP 401\)"):
        sent(
            handler,
            GET,
            target=Endpoint("https://api.example.edu", TOKENS, "id", "secret", profile=TIMEBACK),
        )


def test_a_target_that_cannot_be_reached_ends_the_run() -> None:
    """The message names the host and the next step."""

    async def run() -> None:
        async with await asyncio.start_server(
            lambda reader, writer: None, "127.0.0.1", 0
        ) as server:
            port = server.sockets[0].getsockname()[1]
        async with Client(
            Endpoint(f"http://127.0.0.1:{port}", access_token="t", patience=QUICK, profile=TIMEBACK)
        ) as client:
            await client.send(GET)

    with pytest.raises(
        TargetError,
        match=r"127\.0\.0\.1:\d+ cannot be reached: no connection \(.*\)\. Check its address",
    ):
        asyncio.run(run())


def test_another_transports_connection_error_ends_the_run() -> None:
    """Whatever carries the bytes, not to be connected is not to be reached."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(TargetError, match=r"cannot be reached: no connection \(ConnectError\)"):
        sent(handler, GET)


def test_a_connection_that_breaks_loses_one_answer() -> None:
    """The target may have done what it was asked; the run goes on."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    posted = answered(hang_up, wire.create(USERS, {"sourcedId": "u1"}))

    assert posted == wire.Response(
        0, lost="the answer was lost (ServerDisconnectedError)", fault="lost", again=True
    )


def test_an_answer_that_is_cut_short_is_lost() -> None:
    """Half a body is no answer."""

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")

    assert answered(half) == wire.Response(
        0, lost="the answer was lost (ClientPayloadError)", fault="lost", again=True
    )


def test_an_answer_that_is_not_http_is_lost() -> None:
    """Not every error of the library below is translated by the one above."""

    async def gibberish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.edu ready\r\n\r\n")

    assert answered(gibberish).lost.startswith("the answer was lost (")


def test_an_answer_that_does_not_end_is_not_waited_for() -> None:
    """The whole request has a time-out: a byte now and then keeps nobody alive."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        for _ in range(5):
            writer.write(b"{")
            await asyncio.sleep(0.1)

    assert answered(trickle) == wire.Response(
        0, lost="no answer within 0.3 seconds", fault="slow", again=True
    )


def test_a_token_that_does_not_end_is_not_waited_for() -> None:
    """Who gives out tokens keeps nobody alive either."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        for _ in range(5):
            writer.write(b"{")
            await asyncio.sleep(0.1)

    async def run() -> str:
        async with talking(trickle) as place:
            once = RetryPolicy(first_attempts=1)
            target = replace(
                place, token_url=place.url, access_token="", client_id="id", patience=once
            )
            async with Client(target) as client:
                with pytest.raises(TargetError) as error:
                    await client.send(GET)
                return str(error.value)

    assert "did not respond (TimeoutError)" in asyncio.run(run())


def test_a_compressed_answer_is_read() -> None:
    """Gateways compress what they like."""
    body = httpx.Response(200, json={"user": {}}).content

    answers, _ = sent(lambda request: httpx.Response(200, json={"user": {}}), GET)

    assert answers == [wire.Response(200, body)]


def test_certificates_are_verified() -> None:
    """A target is who it says it is."""

    async def verified() -> ssl.VerifyMode:
        async with Client(
            Endpoint("https://api.example.edu", access_token="t", profile=TIMEBACK)
        ) as client:
            context: ssl.SSLContext = client._exchange.transport.ssl_context  # type: ignore[attr-defined]
            return context.verify_mode

    assert asyncio.run(verified()) == ssl.CERT_REQUIRED


def test_what_is_under_way_when_a_run_is_stopped_is_not_waited_for_long() -> None:
    """Who stops a service kills it soon after: an answer that does not come by then is lost."""

    async def run() -> wire.Response:
        async def silent(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(3600)
            raise AssertionError(request)

        exchange = Exchange(
            Endpoint("https://api.example.edu", access_token="t", profile=TIMEBACK),
            httpx.MockTransport(silent),
            asyncio.sleep,
        )
        under_way = asyncio.create_task(exchange.answer(GET))
        await asyncio.sleep(0)
        exchange.hurry(0.01)
        return await under_way

    assert "slow" == asyncio.run(run()).fault
