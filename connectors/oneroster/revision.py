"""Notice that a source replaced its records while they were read.

Some sources name the revision of all their records in a header of each answer.
"""

from __future__ import annotations

import httpx

from connectors.oneroster.target import TargetError


class RevisionChanged(TargetError):
    """The records of a source are no longer those that were read before; read them all again."""


class RevisionTransport(httpx.AsyncBaseTransport):
    """Passes on the answers of one revision.

    An answer without the header counts as one of the same revision.
    """

    def __init__(self, header: str, transport: httpx.AsyncBaseTransport) -> None:
        self._header = header
        self._transport = transport
        self._revision = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises `RevisionChanged` if the answer is of another revision."""
        response = await self._transport.handle_async_request(request)
        revision = response.headers.get(self._header, "").strip()
        if revision and self._revision and revision != self._revision:
            await response.aclose()
            raise RevisionChanged(f"{request.url.host} changed its records while they were read.")
        self._revision = self._revision or revision
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
