"""One request to a target and its one answer: the address, the token and the time-outs.

Requests go to the transport as they are: what `httpx.AsyncClient` does around it costs a quarter
of the time of a request.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from connectors.oneroster import hiding
from connectors.oneroster.hearing import UnfitError, body_of
from connectors.oneroster.hidden import hidden_status
from connectors.oneroster.patience import asked_pause
from connectors.oneroster.target import Target, TargetError
from connectors.oneroster.token import Token
from connectors.oneroster.wire import Answer, Request

Rest = Callable[[float], Awaitable[None]]
UNAUTHORISED = 401
# One is enough, unless that was revoked as well before it was used.
FRESH_TOKENS = 2
# What requests are sent by, as the target sees it.
AGENT = {"user-agent": "roster"}
# A count of records has no more digits.
MOST_DIGITS = 15
# Less than servers wait (5 is common), so that no request is sent on a connection that is being closed.
IDLE_SECONDS = 2.0
# What the transport makes of these is a `ConnectTimeout`, as it is of a connection that broke later.
UNREACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
TOO_SLOW = (httpx.ReadTimeout, httpx.WriteTimeout, aiohttp.SocketTimeoutError)


class Exchange:
    """A target that is being asked. `requests` counts what was sent to the API, `rest` is how one waits."""

    def __init__(self, target: Target, transport: httpx.AsyncBaseTransport | None, rest: Rest) -> None:
        timeout = httpx.Timeout(target.read_seconds, connect=target.connect_seconds, pool=None)
        self.requests = 0
        self.transport = transport or connections(target)
        self._target = target
        self._under_way: set[asyncio.Timeout] = set()
        self._address = target.url.rstrip("/")
        self._extensions = {"timeout": timeout.as_dict()}
        self._credentials = hiding.credentials(target)
        self._http = httpx.AsyncClient(transport=self.transport, timeout=timeout, follow_redirects=False, headers=AGENT)
        self._token = Token(target, self._http, rest=rest)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def answer(self, request: Request) -> Answer:
        """Send a request and give the answer, whatever its status; a lost one says why it was lost.

        A failure in the body of a 2xx gets the status that it stands for. Raises `TargetError` if the
        target refuses a fresh token too, or none is to be had.
        """
        token = await self._token.current()
        answer = await self._exchanged(request, token)
        for _ in range(FRESH_TOKENS):
            if answer.status != UNAUTHORISED:
                return answer
            token = await self._token.current(refused=token)
            answer = await self._exchanged(request, token)
        if answer.status == UNAUTHORISED:
            raise TargetError(f"{self._target.host} refuses a fresh token (HTTP 401). Ask who runs it for access.")
        return answer

    def hurry(self, seconds: float) -> None:
        """Wait for the answers that are under way only so much longer."""
        until = asyncio.get_running_loop().time() + seconds
        for one in self._under_way:
            if not one.expired():
                one.reschedule(min(until, one.when() or until))

    async def _exchanged(self, request: Request, token: str) -> Answer:
        self.requests += 1
        try:
            async with asyncio.timeout(self._target.request_seconds) as limit:
                self._under_way.add(limit)
                try:
                    return self._told(request, token, await self._heard(self._message(request, token)))
                finally:
                    self._under_way.discard(limit)
        except TimeoutError:
            return Answer(0, lost=f"no answer within {self._target.request_seconds:g} seconds", fault="slow")
        except UnfitError as error:
            return Answer(0, lost=str(error), fault="unfit")
        except (httpx.RequestError, aiohttp.ClientError) as error:
            name = type(error.__cause__ or error).__name__
            if isinstance(error, httpx.ConnectError) or isinstance(error.__cause__, UNREACHED):
                return Answer(0, lost=f"no connection ({name})", fault="unreached")
            return Answer(0, lost=f"the answer was lost ({name})", fault="slow" if _slow(error) else "lost")

    async def _heard(self, message: httpx.Request) -> Answer:
        response = await self.transport.handle_async_request(message)
        try:
            body, status = await body_of(response, self._target.answer_bytes), response.status_code
        finally:
            await response.aclose()
        if status < 300:
            told = _paging(response) if message.method == "GET" else {}
            return Answer(hidden_status(body) or status, body, **told)
        asked = response.headers.get("retry-after")
        wait = asked_pause(asked, response.headers.get("date", ""), time.time()) if asked else None
        return Answer(status, body, wait=wait)

    def _told(self, request: Request, token: str, answer: Answer) -> Answer:
        """Hide our credentials where an answer repeats them that may be told to people; a record that was read is left as it is."""
        if answer.status < 300 and request.method == "GET":
            return answer
        body = hiding.without(answer.body, (*self._credentials, *_spelled(token)))
        return answer if body is answer.body else replace(answer, body=body)

    def _message(self, request: Request, token: str) -> httpx.Request:
        """Build the request from parsed parts: with `content=` httpx would prepare what aiohttp prepares anyway."""
        if not request.path.startswith("/"):
            raise ValueError("a path must begin with a slash, or it could lead to another host")
        url, headers, body = _url(self._address + request.path), _headers(token), httpx.ByteStream(request.body)
        message = httpx.Request(request.method, url, headers=headers, stream=body, extensions=self._extensions)
        message.read()
        return message


def connections(target: Target) -> httpx.AsyncBaseTransport:
    """Give what connects to a target, no more often at once than it bears."""
    limits = httpx.Limits(max_connections=target.concurrency, keepalive_expiry=IDLE_SECONDS)
    return AiohttpTransport(verify=_trusted(), limits=limits)


@cache
def _trusted() -> ssl.SSLContext:
    """Load the trusted certificates once per process: that takes 20 ms, and a run connects more than once."""
    return httpx.create_ssl_context()


def _paging(response: httpx.Response) -> dict[str, Any]:
    """What a page says of the others: `X-Total-Count`, and `Link` (RFC 8288)."""
    total, links = (response.headers.get(name, "") for name in ("x-total-count", "link"))
    follows = re.search(r"""rel="?([^";,]+ )?next""", links) is not None if links else None
    counts = total.isdecimal() and len(total) <= MOST_DIGITS
    return {"total": int(total) if counts else None, "follows": follows}


def _slow(error: Exception) -> bool:
    return isinstance(error, TOO_SLOW) or isinstance(error.__cause__, TOO_SLOW)


@lru_cache(maxsize=64)
def _url(address: str) -> httpx.URL:
    return httpx.URL(address)


@lru_cache(maxsize=4)
def _spelled(token: str) -> tuple[bytes, ...]:
    return hiding.spellings(token)


@lru_cache(maxsize=4)
def _headers(token: str) -> httpx.Headers:
    json = {"content-type": "application/json", "accept": "application/json"}
    return httpx.Headers({"authorization": f"Bearer {token}", **AGENT, **json})
