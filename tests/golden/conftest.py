"""A sandbox over HTTP for all samples, emptied for each, and the requests that it receives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.golden.recording import serving
from tests.golden.requests import Log


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Sandbox, Log]]:
    """Serve one sandbox."""
    with serving() as one:
        yield one
