"""What a load and the processes that send for it tell each other, through a socket that nobody else has."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass
from typing import Any

from connectors.oneroster.errands import Errand
from connectors.oneroster.loaded import Result
from connectors.oneroster.target import Target

SIZE = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """Errands, and how many of them are run at once."""

    errands: list[Errand]
    at_once: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results by place; `error` says why it broke off, if it did; `requests` were sent, `retries` of them again."""

    results: dict[int, Result]
    error: str
    requests: int = 0
    retries: int = 0


def packed(message: Target | Batch | Outcome | str) -> bytes:
    """Make bytes of a message, which say how many they are; a text is why to stop."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(SIZE, "big") + content


async def received(reader: asyncio.StreamReader) -> Any:
    """Wait for the next message; None if the other side has ended."""
    try:
        size = int.from_bytes(await reader.readexactly(SIZE), "big")
        return pickle.loads(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
