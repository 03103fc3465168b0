"""One Prefect server for all tests of this folder, since it takes a while to start.

The tests run in one process (see `tests/spreading.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.orchestration.feeds import Feed
from tests.orchestration.orchestra import Orchestra, orchestra
from tests.orchestration.restart import Restart, restarted


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchestra]:
    """Start a server and a worker, with all flows deployed."""
    with orchestra(tmp_path_factory.mktemp("prefect")) as started:
        yield started


@pytest.fixture(scope="session")
def restart(prefect: Orchestra, tmp_path_factory: pytest.TempPathFactory) -> Restart:
    """Stop server and worker during a load, and start them again."""
    return restarted(prefect, tmp_path_factory.mktemp("restart"))


@pytest.fixture
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    """Return a feed that was never loaded, with a sandbox of its own."""
    return Feed(tmp_path_factory.mktemp("feed"))
