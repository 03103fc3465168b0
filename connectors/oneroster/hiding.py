"""Hides our credentials where a target repeats them, since what it says is told to people."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from connectors.oneroster.target import Target

# What is shorter keeps no secret, and stands in many a word.
SHORTEST = 8
HIDDEN = b"..."


def spellings(secret: str) -> tuple[bytes, ...]:
    """How a secret may be spelled in an answer: as it is, in JSON, which may escape slashes, in a form or in an address."""
    if len(secret) < SHORTEST:
        return ()
    escaped = json.dumps(secret)[1:-1]
    spelled = (secret, escaped, escaped.replace("/", "\\/"), quote(secret, safe=""), quote_plus(secret))
    return tuple(dict.fromkeys(one.encode() for one in spelled))


def credentials(target: Target) -> tuple[bytes, ...]:
    """How the client secret and the ready token of a target may be spelled, the longest first."""
    secret = target.client_secret
    basic = b64encode(f"{target.client_id}:{secret}".encode()).decode() if len(secret) >= SHORTEST else ""
    spelled = {*spellings(secret), *spellings(basic), *spellings(target.access_token)}
    return tuple(sorted(spelled, key=len, reverse=True))


def without(said: bytes, secrets: Iterable[bytes]) -> bytes:
    """Hide secrets, however they are spelled."""
    for one in secrets:
        if one in said:
            said = said.replace(one, HIDDEN)
    return said
