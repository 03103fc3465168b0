"""One Prefect server for all tests of this folder that run in one process: it takes a while to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.orchestration.feeds import Feed
from tests.orchestration.orchestra import Orchestra, orchestra


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchestra]:
    """A server, a worker, and all flows deployed."""
    with orchestra(tmp_path_factory.mktemp("prefect")) as started:
        yield started


@pytest.fixture
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    """A feed that was never loaded, into a sandbox of its own."""
    return Feed(tmp_path_factory.mktemp("feed"))
