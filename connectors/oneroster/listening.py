"""A network that is listened to: whether the target ever speaks of limits on requests."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
from httpx_aiohttp import AiohttpTransport

from connectors.oneroster import hiding

# Draft-ietf-httpapi-ratelimit-headers, and what gateways have called it before.
LIMITING = ("retry-after", "ratelimit", "x-ratelimit", "x-rate-limit")
BUSY = 429


@dataclass
class Listening(httpx.AsyncBaseTransport):
    """Passes requests on. `limits` are the headers that speak of limits, with the first value of each; `busy` counts the 429s.

    `secrets` are hidden in what the headers say.
    """

    secrets: tuple[bytes, ...] = ()
    real: httpx.AsyncBaseTransport = field(default_factory=AiohttpTransport)
    limits: dict[str, str] = field(default_factory=dict)
    busy: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and look at the headers of its answer."""
        response = await self.real.handle_async_request(request)
        for name, value in response.headers.items():
            if name.lower().startswith(LIMITING):
                token = request.headers.get("authorization", "").removeprefix("Bearer ")
                said = hiding.without(value.encode(), (*self.secrets, *hiding.spellings(token)))
                self.limits.setdefault(name.lower(), said.decode())
        self.busy += response.status_code == BUSY
        return response

    async def aclose(self) -> None:
        """Close the real network."""
        await self.real.aclose()
