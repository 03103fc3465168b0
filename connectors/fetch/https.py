"""HTTPS that stays encrypted: a redirect to plain HTTP is refused.

A module of its own because aiohttp takes a while to import.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp
from fsspec.implementations.http import HTTPFileSystem  # type: ignore[import-untyped]

from connectors.fetch.addresses import FetchError, without_secrets

HTTP_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=60, sock_read=60)  # seconds


def https_filesystem() -> Any:
    """Return a file system that checks certificates and refuses redirects to plain HTTP."""
    return HTTPFileSystem(get_client=_client, skip_instance_cache=True)


async def _client(**settings: Any) -> aiohttp.ClientSession:
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_clear_redirect)
    return aiohttp.ClientSession(trace_configs=[tracing], timeout=HTTP_TIMEOUT, **settings)


async def _refuse_clear_redirect(
    _session: object, _context: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    to = redirect.response.headers.get("Location", "")
    if redirect.url.scheme == "https" and to.lower().startswith("http:"):
        raise FetchError(
            f"{without_secrets(str(redirect.url))} leads to {without_secrets(to)}, which "
            "is not encrypted. "
            "Name the right address."
        )
