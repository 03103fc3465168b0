"""The bearer token of a run: fetched once for all requests, and again before it expires.

Source: API reference, section 1. The grant is client credentials. They are sent as form fields, or
with HTTP Basic if the token endpoint refuses the form, unless the target says which of the two.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable

import aiohttp
import httpx

from connectors.oneroster.response_body import UnreadableResponse, read_body
from connectors.oneroster.retry import retry_after_seconds
from connectors.oneroster.target import AccessRefused, Endpoint, TargetError, host_of
from connectors.oneroster.wire import TRANSIENT, parse_object

EARLY_SECONDS = 60.0
LIFETIME_SECONDS = 3600.0
FORM_REFUSED = (400, 401)
ERROR_CODE = re.compile(r"[a-z_]{3,40}")
DIGITS = re.compile(r"[0-9]{1,12}")
# More than any token endpoint sends, and longer than any token lives.
MOST_BYTES, MOST_SECONDS = 1024 * 1024, 365 * 86_400.0


class Token:
    """The token that all concurrent requests share.

    Only one fetch runs at a time, and all requests share its failure.
    """

    def __init__(
        self,
        target: Endpoint,
        http: httpx.AsyncClient,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._target = target
        self._http = http
        self._clock = clock
        self._rest = rest
        self._lock = asyncio.Lock()
        self._value = target.access_token
        self._until = float("inf") if target.access_token else 0.0
        self._failure: TargetError | None = None

    async def current(self, refused: str = "") -> str:
        """Return a token that is valid for a while and is not the `refused` one.

        Raises `TargetError` if the token endpoint refuses the credentials or does not answer.
        """
        if self._usable(refused):
            return self._value
        async with self._lock:
            if not self._usable(refused):
                await self._renew()
        return self._value

    def _usable(self, refused: str) -> bool:
        return self._clock() < self._until and self._value != refused

    async def _renew(self) -> None:
        if self._failure is None:
            try:
                self._value, lifetime = await self._fetch()
                self._until = self._clock() + lifetime - min(EARLY_SECONDS, lifetime / 2)
                return
            except TargetError as failure:
                self._failure = failure
        raise self._failure

    async def _fetch(self) -> tuple[str, float]:
        if not self._target.token_url:
            raise TargetError(
                f"{self._target.host} refused the access token (HTTP 401). "
                "Renew it, or give a client id and secret."
            )
        response = await self._ask_with_retries()
        answer = parse_object(response.content)
        token = answer.get("access_token")
        if not response.is_success or not isinstance(token, str) or not token:
            raise self._refusal(response.status_code, answer.get("error"))
        return token, _lifetime(answer.get("expires_in"))

    async def _ask_with_retries(self) -> httpx.Response:
        """Ask until the response is final or the retry budget is used up.

        If nobody answers the first request for a token, a few attempts are enough to know.
        """
        policy, attempt = self._target.patience, 1
        until = time.monotonic() + policy.seconds
        while True:
            attempt += 1
            wait = None
            try:
                response = await self._ask()
            except TargetError:
                if attempt > (policy.attempts if self._value else policy.first_attempts):
                    raise
            else:
                asked, date = (response.headers.get(name, "") for name in ("retry-after", "date"))
                wait = retry_after_seconds(asked, date, time.time())
                spent = (
                    attempt > policy.attempts
                    or time.monotonic() > until
                    or (wait or 0.0) > policy.pause
                )
                if response.status_code not in TRANSIENT or spent:
                    return response
            await self._rest(wait or policy.rest_before(attempt, random.random()))

    async def _ask(self) -> httpx.Response:
        url = self._target.token_url
        try:
            async with asyncio.timeout(self._target.request_seconds):
                return await self._ask_as_client()
        # The httpx transport does not translate every error of aiohttp.
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, TimeoutError) as error:
            raise TargetError(
                f"{host_of(url)} did not respond ({type(error).__name__}). "
                "Check the token address and the network, and run again."
            ) from None
        except UnreadableResponse as error:
            raise TargetError(
                f"{host_of(url)} gave no token, but {error}. Check the token address, and "
                "run again."
            ) from None

    async def _ask_as_client(self) -> httpx.Response:
        target, grant = self._target, {"grant_type": "client_credentials"}
        if target.scope:
            grant["scope"] = target.scope
        client = (target.client_id, target.client_secret)
        if target.client_auth == "basic":
            return await self._post(grant, client)
        response = await self._post({**grant, "client_id": client[0], "client_secret": client[1]})
        if response.status_code in FORM_REFUSED and not target.client_auth:
            response = await self._post(grant, client)
        return response

    async def _post(
        self, form: dict[str, str], basic: tuple[str, str] | None = None
    ) -> httpx.Response:
        """Ask once, and read no more of the response than a token needs."""
        async with self._http.stream(
            "POST", self._target.token_url, data=form, auth=basic
        ) as response:
            body = await read_body(response, MOST_BYTES)
        plain = {
            name: value for name, value in response.headers.items() if name != "content-encoding"
        }
        return httpx.Response(response.status_code, headers=plain, content=body)

    def _refusal(self, status: int, code: object) -> AccessRefused:
        """Say who refused what.

        The message repeats only an error code of the response: other text might contain the secret.
        """
        known = (
            code
            if isinstance(code, str) and ERROR_CODE.fullmatch(code) and not self._is_secret(code)
            else ""
        )
        scope = f', and the scope "{self._target.scope}"' if self._target.scope else ""
        return AccessRefused(
            f"{host_of(self._target.token_url)} gave no token "
            f"(HTTP {status}{f', {known}' if known else ''}). "
            f"Check the token address, the client id and its secret{scope}, and run again.",
            proof="token request",
            status=status,
            code=known,
        )

    def _is_secret(self, code: str) -> bool:
        return bool(self._target.client_secret) and self._target.client_secret in code


def _lifetime(seconds: object) -> float:
    """Return how long a token lives. Some endpoints send the number as text."""
    if isinstance(seconds, str):
        seconds = int(seconds) if DIGITS.fullmatch(seconds) else None
    if isinstance(seconds, int | float) and seconds > 0:
        return float(min(seconds, MOST_SECONDS))
    return LIFETIME_SECONDS
