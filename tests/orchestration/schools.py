"""A feed of many schools, which takes long enough to load that something can go wrong meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.types import ASGIApp

from connectors.oneroster.sandbox import Sandbox
from tests.syncing import Create
from tests.syncing import Feed as Schools

SCHOOLS = 400


@contextmanager
def schools(folder: Path, wrap: Callable[[ASGIApp], ASGIApp]) -> Iterator[Schools]:
    """Serve a target for a feed of many schools, whose batches are small."""
    with Sandbox(None, wrap=wrap) as sandbox:
        feed = Schools(folder, sandbox)
        feed.configure(batch=50)
        feed.schools(SCHOOLS)
        yield feed


async def slowly(_: Create) -> bool:
    """Take some time, so that some requests are under way at any moment."""
    await asyncio.sleep(0.05)
    return False


def parameters_of(feed: Schools) -> dict[str, object]:
    """Give the parameters of a flow for a feed."""
    return {"district": str(feed.folder / "feed.toml"), "state": str(feed.folder / "state")}
