"""Send requests to a target and return its responses.

`Client` keeps to the limit of concurrent requests and retries; nothing else in the project retries.
Below it, `Exchange` sends a single request with a token.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import cache, lru_cache
from itertools import chain
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, quote_plus

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from connectors.oneroster import wire
from connectors.oneroster.auth import Token
from connectors.oneroster.links import page_follows
from connectors.oneroster.response_body import UnreadableResponse, read_body
from connectors.oneroster.retry import SERVER_ERROR, TOO_MANY_REQUESTS, retry_after_seconds
from connectors.oneroster.target import AccessRefused, Endpoint, RunStopped, TargetError
from connectors.oneroster.throttle import Pace, share_slots
from connectors.oneroster.wire import Request, Response, hidden_status
from transforms.grammar import count_of

# After so many new records under ids of the target's own, and none under ours, the run ends.
MOST_MISPLACED = 10
# A service manager kills a process some ten seconds after it asked it to stop.
STOP_SECONDS = 7.0

Rest = Callable[[float], Awaitable[None]]
UNAUTHORIZED = 401
# One is enough, unless the fresh token is revoked before it is used.
FRESH_TOKENS = 2
USER_AGENT = {"user-agent": "roster"}
# No count of records has more digits.
MOST_DIGITS = 15
# Shorter than servers wait (5 is common): no request is sent on a connection that is closing.
IDLE_SECONDS = 2.0
# The transport turns these, and a connection that broke later, into the same `ConnectTimeout`.
UNREACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
TIMEOUTS = (httpx.ReadTimeout, httpx.WriteTimeout, aiohttp.SocketTimeoutError)
# A shorter text is no secret, and is part of many words.
SHORTEST_SECRET = 8
HIDDEN = b"..."


class Client:
    """A connection to a target with the profile of its API; an async context manager.

    Once a `TargetError` has ended the run, every other request ends with the same error.
    """

    def __init__(self, target: Endpoint, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.target = target
        self.profile = target.profile
        # How many of the requests were retries.
        self.retries = 0
        self._pace = Pace(target.concurrency)
        self._shared_slots = AsyncExitStack()
        self._exchange = Exchange(target, transport, self._pace.rest)
        self._retry_policy = target.patience
        self._was_reached = False
        self._failures_in_a_row = 0
        self._keeps_our_ids: set[str] = set()
        self._misplaced: Counter[str] = Counter()

    @property
    def concurrency(self) -> int:
        """How many requests may be under way at once."""
        return self.target.concurrency

    @property
    def requests(self) -> int:
        """How many requests were sent to the API, retries included."""
        return self._exchange.requests

    async def __aenter__(self) -> Self:
        if self.target.slots:
            await self._shared_slots.enter_async_context(share_slots(self.target.slots, self._pace))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._shared_slots.aclose()
        await self._exchange.close()

    async def send(self, request: Request) -> Response:
        """Send a request and return the response, whatever its status.

        If no response came, `Answer.lost` says why. A request that may succeed later is retried
        within the target's retry budget. Raises `TargetError` if the target is unreachable or down,
        asks for a longer pause than we accept, or refuses a fresh token too.
        """
        answer = await self._send_once(request)
        return await self._retry(request, answer) if wire.is_transient(request, answer) else answer

    def end(self, error: TargetError) -> TargetError:
        """Send nothing more, and return the error.

        Requests that wait for their turn or for a retry raise the error; those under way are
        finished.
        """
        self._pace.end(error)
        if isinstance(error, RunStopped):
            self._exchange.hurry(STOP_SECONDS)
        return error

    def note_place(self, collection: str, *, elsewhere: bool) -> None:
        """Note whether the target keeps a new record under our id.

        A target that never does so would receive all records again each night, so the run ends.
        """
        if not elsewhere:
            self._keeps_our_ids.add(collection)
            return
        self._misplaced[collection] += 1
        if self._misplaced[collection] >= MOST_MISPLACED and collection not in self._keeps_our_ids:
            self.end(
                TargetError(
                    f"{self.target.host} does not keep the ids of {collection} that it is "
                    "sent, but makes its own. Ask its operator to keep them."
                )
            )

    async def _send_once(self, request: Request) -> Response:
        burst = await self._pace.enter()
        try:
            answer = await self._exchange.answer(request)
        except TargetError as error:
            raise self.end(error) from None
        finally:
            self._pace.leave()
        if wire.is_transient(request, answer):
            self._adjust_pace(answer, burst)
        else:
            self._pace.answered()
            self._failures_in_a_row = 0
        self._was_reached = self._was_reached or answer.fault != "unreached"
        return answer

    def _adjust_pace(self, answer: Response, burst: int) -> None:
        """Slow down if the target is too slow or asks for it, and pause for as long as it asks."""
        if answer.status == TOO_MANY_REQUESTS or answer.fault == "slow":
            self._pace.slow_down(burst)
        if answer.wait is None:
            return
        if answer.wait > self._retry_policy.pause:
            why = (
                f"asks us to wait {count_of(round(answer.wait), 'seconds')} "
                f"(HTTP {answer.status}). "
                "Run again after that."
            )
        elif self._pace.paused > self._retry_policy.pauses:
            why = (
                f"asks again and again to be left alone (HTTP {answer.status}), "
                f"{count_of(round(self._pace.paused), 'seconds')} so far. Run again later."
            )
        else:
            self._pace.pause(answer.wait)
            return
        raise self.end(
            TargetError(f"{self.target.host} {why}", unsure=wire.may_have_been_done(answer))
        )

    async def _retry(self, request: Request, answer: Response) -> Response:
        """Retry a request until it is answered, the record is there, or the budget is used up."""
        attempt, again, began = 1, False, self._now()
        while wire.is_transient(request, answer):
            again = again or wire.may_have_been_done(answer)
            attempt += 1
            if not self._may_retry(attempt, self._now() - began, answer):
                self._give_up(request, answer, again=again)
                break
            try:
                await self._pace.rest(
                    0.0 if answer.wait else self._retry_policy.rest_before(attempt, random.random())
                )
                if (
                    request.seen_by
                    and wire.may_have_been_done(answer)
                    and await self._is_there(request.seen_by)
                ):
                    return replace(answer, again=again and answer.status != SERVER_ERROR)
                self.retries += 1
                answer = await self._send_once(request)
            except TargetError as error:
                raise type(error)(str(error), unsure=again) from None
        return replace(answer, again=again)

    def _may_retry(self, attempt: int, seconds: float, answer: Response) -> bool:
        if answer.fault == "unreached" and not self._was_reached:
            return (
                attempt <= self._retry_policy.first_attempts
                and seconds < self.target.connect_seconds
            )
        has_budget = (
            attempt <= self._retry_policy.attempts_after(answer.status)
            and seconds < self._retry_policy.seconds
        )
        return has_budget and (
            answer.status == TOO_MANY_REQUESTS
            or self._retry_policy.bears(self.retries, self.requests)
        )

    def _now(self) -> float:
        """Return the time in seconds, without the pauses that the target asked for."""
        return time.monotonic() - self._pace.paused

    async def _is_there(self, path: str) -> bool:
        """Return whether the target has the record that a request was to create."""
        read = Request("GET", path)
        return wire.outcome_of(read, await self.send(read)).kind == "done"

    def _give_up(self, request: Request, answer: Response, *, again: bool) -> None:
        """Raise `TargetError` if the target fails, and not only this request.

        A 500 to a write may be the record's own fault.
        """
        if answer.fault == "unreached":
            raise self.end(
                TargetError(
                    f"{self.target.host} cannot be reached: {answer.lost}. "
                    "Check its address and the network, and run again.",
                    unsure=again,
                )
            )
        if answer.status == SERVER_ERROR and request.method != "GET":
            return
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._retry_policy.hopeless:
            seen = wire.outcome_of(request, answer).detail
            raise self.end(
                TargetError(
                    f"{self.target.host} is down: "
                    f"{count_of(self._failures_in_a_row, 'requests')} in a row failed to the end, "
                    f"the last with {seen!r}. Run again when it is up.",
                    unsure=again,
                )
            )


class Exchange:
    """Sends single requests to the API, each with a valid token."""

    def __init__(
        self, target: Endpoint, transport: httpx.AsyncBaseTransport | None, rest: Rest
    ) -> None:
        timeout = httpx.Timeout(target.read_seconds, connect=target.connect_seconds, pool=None)
        # How many requests were sent to the API.
        self.requests = 0
        self.transport = transport or open_transport(target)
        self._target = target
        self._under_way: set[asyncio.Timeout] = set()
        self._address = target.url.rstrip("/")
        self._extensions = {"timeout": timeout.as_dict()}
        self._credentials = credential_spellings(target)
        self._http = httpx.AsyncClient(
            transport=self.transport, timeout=timeout, follow_redirects=False, headers=USER_AGENT
        )
        self._token = Token(target, self._http, rest=rest)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def answer(self, request: Request) -> Response:
        """Send a request and return the response, whatever its status.

        If no response came, `Answer.lost` says why. A failure in the body of a 2xx gets the status
        that it stands for. Raises `TargetError` if there is no token, or the target refuses a fresh
        one too.
        """
        token = await self._token.current()
        answer = await self._exchange_once(request, token)
        for _ in range(FRESH_TOKENS):
            if answer.status != UNAUTHORIZED:
                return answer
            token = await self._token.current(refused=token)
            answer = await self._exchange_once(request, token)
        if answer.status == UNAUTHORIZED:
            raise AccessRefused(
                f"{self._target.host} refuses a fresh token (HTTP 401). Ask who runs it for access."
            )
        return answer

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for the responses under way."""
        until = asyncio.get_running_loop().time() + seconds
        for one in self._under_way:
            if not one.expired():
                one.reschedule(min(until, one.when() or until))

    async def _exchange_once(self, request: Request, token: str) -> Response:
        self.requests += 1
        try:
            async with asyncio.timeout(self._target.request_seconds) as limit:
                self._under_way.add(limit)
                try:
                    return self._hide_credentials(
                        request, token, await self._receive(self._message(request, token))
                    )
                finally:
                    self._under_way.discard(limit)
        except TimeoutError:
            return Response(
                0, lost=f"no answer within {self._target.request_seconds:g} seconds", fault="slow"
            )
        except UnreadableResponse as error:
            return Response(0, lost=str(error), fault="unfit")
        except (httpx.RequestError, aiohttp.ClientError) as error:
            name = type(error.__cause__ or error).__name__
            if isinstance(error, httpx.ConnectError) or isinstance(error.__cause__, UNREACHED):
                return Response(0, lost=f"no connection ({name})", fault="unreached")
            return Response(
                0, lost=f"the answer was lost ({name})", fault="slow" if _slow(error) else "lost"
            )

    async def _receive(self, message: httpx.Request) -> Response:
        response = await self.transport.handle_async_request(message)
        try:
            body, status = (
                await read_body(response, self._target.answer_bytes),
                response.status_code,
            )
        finally:
            await response.aclose()
        if status < 300:
            paging = _paging(response) if message.method == "GET" else {}
            return Response(hidden_status(body) or status, body, **paging)
        asked = response.headers.get("retry-after")
        wait = (
            retry_after_seconds(asked, response.headers.get("date", ""), time.time())
            if asked
            else None
        )
        return Response(status, body, wait=wait)

    def _hide_credentials(self, request: Request, token: str, answer: Response) -> Response:
        """Hide our credentials if a response repeats them, since reports may show it.

        A record that was read stays as it is.
        """
        if answer.status < 300 and request.method == "GET":
            return answer
        cookies = (one.value or "" for one in self._http.cookies.jar)
        secrets = (*self._credentials, *_token_spellings(token), *chain(*map(spellings, cookies)))
        body = hide(answer.body, secrets)
        return answer if body is answer.body else replace(answer, body=body)

    def _message(self, request: Request, token: str) -> httpx.Request:
        """Build the request from parsed parts.

        With `content=`, httpx would prepare what aiohttp prepares again.
        """
        if not request.path.startswith("/"):
            raise ValueError("a path must begin with a slash, or it could lead to another host")
        url, headers, body = (
            _url(self._address + request.path),
            _headers(token),
            httpx.ByteStream(request.body),
        )
        message = httpx.Request(
            request.method, url, headers=headers, stream=body, extensions=self._extensions
        )
        message.read()
        if self._target.cookies and self._http.cookies:
            # Only those that the token's host set for this host and path (RFC 6265, section 5.4).
            self._http.cookies.set_cookie_header(message)
        return message


def _paging(response: httpx.Response) -> dict[str, Any]:
    """Return what the headers of a page say: `X-Total-Count`, and `Link` (RFC 8288)."""
    total = response.headers.get("x-total-count", "")
    counts = total.isdecimal() and len(total) <= MOST_DIGITS
    follows = page_follows(response.headers.get_list("link"))
    return {"total": int(total) if counts else None, "follows": follows}


def _slow(error: Exception) -> bool:
    return isinstance(error, TIMEOUTS) or isinstance(error.__cause__, TIMEOUTS)


@lru_cache(maxsize=64)
def _url(address: str) -> httpx.URL:
    return httpx.URL(address)


@lru_cache(maxsize=4)
def _token_spellings(token: str) -> tuple[bytes, ...]:
    return spellings(token)


@lru_cache(maxsize=4)
def _headers(token: str) -> httpx.Headers:
    json = {"content-type": "application/json", "accept": "application/json"}
    return httpx.Headers({"authorization": f"Bearer {token}", **USER_AGENT, **json})


def open_transport(target: Endpoint) -> httpx.AsyncBaseTransport:
    """Return the transport to a target, limited to its number of concurrent requests."""
    limits = httpx.Limits(max_connections=target.concurrency, keepalive_expiry=IDLE_SECONDS)
    return AiohttpTransport(verify=_certificates(), limits=limits)


@cache
def _certificates() -> ssl.SSLContext:
    """Load the trusted certificates once per process.

    That takes 20 ms, and a run connects more than once.
    """
    return httpx.create_ssl_context()


def spellings(secret: str) -> tuple[bytes, ...]:
    """Return the spellings of a secret that a response may contain.

    It may stand there as it is, in JSON (which may escape slashes), in a form or in a URL.
    """
    if len(secret) < SHORTEST_SECRET:
        return ()
    escaped = json.dumps(secret)[1:-1]
    spelled = (
        secret,
        escaped,
        escaped.replace("/", "\\/"),
        quote(secret, safe=""),
        quote_plus(secret),
    )
    return tuple(dict.fromkeys(one.encode() for one in spelled))


def credential_spellings(target: Endpoint) -> tuple[bytes, ...]:
    """Return the spellings of a target's client secret and ready token, the longest first."""
    secret = target.client_secret
    basic = (
        b64encode(f"{target.client_id}:{secret}".encode()).decode()
        if len(secret) >= SHORTEST_SECRET
        else ""
    )
    spelled = {*spellings(secret), *spellings(basic), *spellings(target.access_token)}
    return tuple(sorted(spelled, key=len, reverse=True))


def hide(body: bytes, secrets: Iterable[bytes]) -> bytes:
    """Hide secrets in the body of a response."""
    for one in secrets:
        if one in body:
            body = body.replace(one, HIDDEN)
    return body
