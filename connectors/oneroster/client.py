"""Sends requests to a target and hands back what it answers; retries belong here, and nowhere else.

Requests go to the transport as they are: what `httpx.AsyncClient` does around it costs a quarter
of the time of a request.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from connectors.oneroster.target import Target, TargetError
from connectors.oneroster.token import Token
from connectors.oneroster.wire import Answer, Request

UNAUTHORISED = 401
# Less than servers wait (5 is common), so that no request is sent on a connection that is being closed.
IDLE_SECONDS = 2.0
# What the transport makes of these is a `ConnectTimeout`, as it is of a connection that broke later.
UNREACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class Client:
    """A target that is being used: an async context manager. `requests` counts what was sent to the API."""

    def __init__(self, target: Target, transport: httpx.AsyncBaseTransport | None = None) -> None:
        limits = httpx.Limits(max_connections=target.concurrency, keepalive_expiry=IDLE_SECONDS)
        timeout = httpx.Timeout(target.read_seconds, connect=target.connect_seconds, pool=None)
        self.target = target
        self.requests = 0
        self._address = target.url.rstrip("/")
        self._extensions = {"timeout": timeout.as_dict()}
        self._transport = transport or AiohttpTransport(limits=limits)
        self._http = httpx.AsyncClient(transport=self._transport, timeout=timeout, follow_redirects=False)
        self._token = Token(target, self._http)

    @property
    def concurrency(self) -> int:
        """How many requests may be under way at once."""
        return self.target.concurrency

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:  # fmt: skip
        await self._http.aclose()

    async def send(self, request: Request) -> Answer:
        """Send a request and give the answer, whatever its status; a lost one says why it was lost.

        Raises `TargetError` if the target cannot be reached at all, or refuses a fresh token too.
        """
        token = await self._token.current()
        answer = await self._exchanged(request, token)
        if answer.status == UNAUTHORISED:
            answer = await self._exchanged(request, await self._token.current(refused=token))
        if answer.status == UNAUTHORISED:
            raise TargetError(f"{self.target.host} refuses a fresh token (HTTP 401). Ask who runs it for access.")
        return answer

    async def _exchanged(self, request: Request, token: str) -> Answer:
        self.requests += 1
        try:
            async with asyncio.timeout(self.target.request_seconds):
                return await self._answer(self._message(request, token))
        except TimeoutError:
            return Answer(0, lost=f"no answer within {self.target.request_seconds:g} seconds")
        except (httpx.RequestError, aiohttp.ClientError) as error:
            if isinstance(error, httpx.ConnectError) or isinstance(error.__cause__, UNREACHED):
                raise self._unreachable(error) from None
            return Answer(0, lost=f"the answer was lost ({type(error.__cause__ or error).__name__})")

    async def _answer(self, message: httpx.Request) -> Answer:
        response = await self._transport.handle_async_request(message)
        try:
            return Answer(response.status_code, await response.aread())
        finally:
            await response.aclose()

    def _message(self, request: Request, token: str) -> httpx.Request:
        """Build the request from parsed parts: with `content=` httpx would prepare what aiohttp prepares anyway."""
        if not request.path.startswith("/"):
            raise ValueError("a path must begin with a slash, or it could lead to another host")
        url, headers, body = _url(self._address + request.path), _headers(token), httpx.ByteStream(request.body)
        message = httpx.Request(request.method, url, headers=headers, stream=body, extensions=self._extensions)
        message.read()
        return message

    def _unreachable(self, error: Exception) -> TargetError:
        return TargetError(
            f"{self.target.host} cannot be reached ({type(error.__cause__ or error).__name__}). "
            "Check its address and the network, and run again."
        )


@lru_cache(maxsize=64)
def _url(address: str) -> httpx.URL:
    return httpx.URL(address)


@lru_cache(maxsize=4)
def _headers(token: str) -> httpx.Headers:
    json = {"content-type": "application/json", "accept": "application/json"}
    return httpx.Headers({"authorization": f"Bearer {token}", "user-agent": "roster", **json})
