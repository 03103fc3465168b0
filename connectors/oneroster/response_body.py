"""Reads what a target says, up to a limit: no answer fills the memory, and none is nested deeper than we can follow."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx

# Deeper than any record; what compares and merges records steps down into them.
DEEPEST = 64
# What is looked at to tell that most answers are not nested too deep.
SHALLOW = 8
ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class UnfitError(Exception):
    """An answer that is too large or nested too deep to be read; it says which."""


async def body_of(response: httpx.Response, most: int) -> bytes:
    """Read a body of up to `most` bytes, unpacked. Raises `UnfitError`."""
    parts: list[bytes] = []
    size = 0
    async for part in _parts(response):
        size += len(part)
        if size > most:
            raise UnfitError(f"an answer of more than {most:,} bytes")
        parts.append(part)
    body = b"".join(parts)
    if is_too_deep(body):
        raise UnfitError(f"an answer nested more than {DEEPEST} deep")
    return body


def is_too_deep(body: bytes) -> bool:
    """Tell whether JSON is nested deeper than `DEEPEST`; what is no JSON is not."""
    left = body.translate(None, ALL_BUT_BRACKETS)
    if len(left) <= DEEPEST:
        return False
    for _ in range(SHALLOW):
        left = left.replace(b"[]", b"").replace(b"{}", b"")
    return bool(left) and _is_nested(body)


def _is_nested(body: bytes) -> bool:
    try:
        level = [json.loads(body)]
    except RecursionError:
        return True
    except ValueError:
        return False
    for _ in range(DEEPEST):
        inner = (item for one in level for item in (one.values() if isinstance(one, dict) else one))
        level = [item for item in inner if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def _parts(response: httpx.Response) -> AsyncIterator[bytes]:
    """Where nothing is to be decoded, what httpx does beside reading costs a tenth of a request."""
    if "content-encoding" in response.headers or not isinstance(
        response.stream, httpx.AsyncByteStream
    ):
        return response.aiter_bytes()
    return aiter(response.stream)
