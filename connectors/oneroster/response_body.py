"""Read the body of a response within limits on its size and depth.

No response fills the memory, and none is nested deeper than our recursion can follow.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx

# Deeper than any record. Comparing and merging recurse into records.
DEEPEST = 64
# Levels that are peeled off before JSON is parsed: enough to clear most responses.
SHALLOW = 8
ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class UnreadableResponse(Exception):
    """A response that is too large or nested too deep to be read; the message says which."""


async def read_body(response: httpx.Response, most: int) -> bytes:
    """Read and decompress a body.

    Raises `UnreadableResponse` if it has more than `most` bytes or is nested too deep.
    """
    parts: list[bytes] = []
    size = 0
    async for part in _parts(response):
        size += len(part)
        if size > most:
            raise UnreadableResponse(f"an answer of more than {most:,} bytes")
        parts.append(part)
    body = b"".join(parts)
    if is_too_deep(body):
        raise UnreadableResponse(f"an answer nested more than {DEEPEST} deep")
    return body


def is_too_deep(body: bytes) -> bool:
    """Return whether JSON is nested deeper than `DEEPEST`; False for anything but JSON."""
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
    """Return the parts of a body.

    A body without an encoding is read directly: what httpx does beside reading costs a tenth of a
    request.
    """
    if "content-encoding" in response.headers or not isinstance(
        response.stream, httpx.AsyncByteStream
    ):
        return response.aiter_bytes()
    return aiter(response.stream)
