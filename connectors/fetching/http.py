"""HTTPS, which stays HTTPS: an answer that leads elsewhere may not lead to where nothing is encrypted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp
from fsspec.implementations.http import HTTPFileSystem  # type: ignore[import-untyped]

from connectors.fetching.errors import FetchError, shown

PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=60, sock_read=60)  # seconds


def encrypted() -> Any:
    """Give the file system, which checks certificates."""
    return HTTPFileSystem(get_client=_client, skip_instance_cache=True)


async def _client(**settings: Any) -> aiohttp.ClientSession:
    watched = aiohttp.TraceConfig()
    watched.on_request_redirect.append(_refuse_clear)
    return aiohttp.ClientSession(trace_configs=[watched], timeout=PATIENCE, **settings)


async def _refuse_clear(_session: object, _context: SimpleNamespace, led: aiohttp.TraceRequestRedirectParams) -> None:
    to = led.response.headers.get("Location", "")
    if led.url.scheme == "https" and to.lower().startswith("http:"):
        raise FetchError(
            f"{shown(str(led.url))} leads to {shown(to)}, which is not encrypted. Name the address that it is meant to be."
        )
