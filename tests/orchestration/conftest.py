"""One Prefect server for all tests of this folder, which run in one process (tests/spreading.py): it takes a while to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.orchestration.feeds import Feed
from tests.orchestration.orchestra import Orchestra, orchestra
from tests.orchestration.restart import Restart, restarted


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchestra]:
    """A server, a worker, and all flows deployed."""
    with orchestra(tmp_path_factory.mktemp("prefect")) as started:
        yield started


@pytest.fixture(scope="session")
def restart(prefect: Orchestra, tmp_path_factory: pytest.TempPathFactory) -> Restart:
    """Server and worker stopped while a load goes on, and started again."""
    return restarted(prefect, tmp_path_factory.mktemp("restart"))


@pytest.fixture
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    """A feed that was never loaded, into a sandbox of its own."""
    return Feed(tmp_path_factory.mktemp("feed"))
