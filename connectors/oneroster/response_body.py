"""Read the body of a response within limits on its size and depth.

No response fills the memory, and none is nested deeper than our recursion can follow.

A gzip body may have several members, one after the other (RFC 1952, section 2.2), as gateways write
it that flush in between. httpx decodes the first one only, so gzip is decoded here.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Iterator

import httpx

# Deeper than any record. Comparing and merging recurse into records.
DEEPEST = 64
# Levels that are peeled off before JSON is parsed: enough to clear most responses.
SHALLOW = 8
GZIP = ("gzip", "x-gzip")
# What makes zlib read gzip, and how a member of it begins.
GZIP_FORMAT, GZIP_MAGIC = zlib.MAX_WBITS | 16, b"\x1f\x8b"
# The most bytes that are decoded at once.
DECODED_BYTES = 1 << 20
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
    """Return the parts of a body, decoded.

    A body without an encoding is read directly: what httpx does beside reading costs a tenth of a
    request.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if not isinstance(response.stream, httpx.AsyncByteStream):
        return response.aiter_bytes()
    if encoding in GZIP:
        return _gunzipped(aiter(response.stream))
    return response.aiter_bytes() if encoding else aiter(response.stream)


async def _gunzipped(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Decode the members of a gzip body, at most `DECODED_BYTES` at once."""
    members = _Members()
    async for part in parts:
        for decoded in members.decode(part):
            yield decoded


class _Members:
    """Decodes the members of a gzip body. What follows the last one, such as zeros, is ignored."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(GZIP_FORMAT)
        # The first byte of what may be another member.
        self._begun = b""
        self._is_over = False

    def decode(self, part: bytes) -> Iterator[bytes]:
        """Yield what a part of the body decodes to.

        Raises `httpx.DecodingError` if it is not gzip.
        """
        while part:
            if self._member.eof:
                part, self._begun = self._begun + part, b""
                if not self._begins_member(part):
                    return
            try:
                decoded = self._member.decompress(part, DECODED_BYTES)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from error
            part = self._member.unconsumed_tail or self._member.unused_data
            if decoded:
                yield decoded

    def _begins_member(self, part: bytes) -> bool:
        """Begin the next member, if this is one."""
        if part == GZIP_MAGIC[:1]:
            self._begun = part
            return False
        self._is_over = self._is_over or not part.startswith(GZIP_MAGIC)
        self._member = self._member if self._is_over else zlib.decompressobj(GZIP_FORMAT)
        return not self._is_over
