"""How many requests at once a target bears from all machines together: a global concurrency limit of Prefect's.

A run takes its turn batch by batch. Runs on one machine share the target's slots besides, request by request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from hashlib import sha256
from typing import Any

from flows.job import Job

Turn = Callable[[int], AbstractAsyncContextManager[Any]]
# How long a run that was killed keeps what it had taken; the shortest that Prefect allows.
LEASE_SECONDS = 60.0
UNLIMITED = "No ceiling is shared with other machines: {name} is no concurrency limit yet. `roster deploy` makes it."


def ceiling(target: str) -> str:
    """Name the limit of a target (its name in the ledger): readable, and its own."""
    readable = re.sub(r"[^a-z0-9]+", "-", target.lower().partition("://")[2]).strip("-")[:40]
    return f"roster-{readable or 'target'}-{sha256(target.encode()).hexdigest()[:8]}"


async def turn_of(job: Job, warn: Callable[[str], None]) -> Turn:
    """Give what a batch enters before it makes so many requests at once; an embedded sandbox is shared with nobody."""
    if job.load.target.url is None:
        return lambda _at_once: nullcontext()
    from prefect.client.orchestration import get_client
    from prefect.concurrency.asyncio import concurrency
    from prefect.exceptions import ObjectNotFound

    name = ceiling(job.load.target.name)
    async with get_client() as client:
        try:
            limit = (await client.read_global_concurrency_limit_by_name(name)).limit
        except ObjectNotFound:
            warn(UNLIMITED.format(name=name))
            return lambda _at_once: nullcontext()
    return lambda at_once: concurrency(name, occupy=min(at_once, limit), lease_duration=LEASE_SECONDS)
