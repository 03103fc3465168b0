"""Sending from this very process: so many workers of one client, each taking the next errand when it is free."""

from __future__ import annotations

import asyncio

from connectors.oneroster.client import Client
from connectors.oneroster.errands import Errand, done
from connectors.oneroster.loaded import Result
from connectors.oneroster.target import TargetError
from connectors.oneroster.workers import spread


class Here:
    """Runs errands through a client of this process."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def requests(self) -> int:
        """How many requests the client sent."""
        return self._client.requests

    @property
    def retries(self) -> int:
        """How many of them were sent again."""
        return self._client.retries

    async def run(self, _batch: str, errands: list[Errand], at_once: int, stop: asyncio.Event | None) -> tuple[dict[int, Result], TargetError | None]:  # fmt: skip
        """Run them, up to `at_once` at a time; those that were not begun have no result."""
        return await spread(errands, at_once, lambda errand: done(self._client, errand), stop)
