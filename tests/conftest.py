"""Fixtures for every test, the distribution of tests over processes, and the rule about skips."""

from __future__ import annotations

import os

# Several test processes keep every core busy, and polars threads in each would only get in the way.
# A single process lets polars use all its threads. Polars reads this variable when it is imported.
if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.loads import Loads
from tests.spreading import Spread, rank
from tests.strength import STRENGTH, register

NO_SKIPS = "ROSTER_NO_SKIPS"

register()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Start two processes more than there are cores.

    One process runs the tests of Prefect and mostly waits, and the others wait at times.
    """
    return (os.cpu_count() or 1) + 2


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Spread:
    """Distribute tests one by one, except those that belong together."""
    return Spread(config, log)


@pytest.fixture(scope="session")
def one_sandbox() -> Iterator[Sandbox]:
    """Serve one sandbox over real HTTP for all tests of this process."""
    with Sandbox(None) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Sandbox) -> Sandbox:
    """Return the sandbox of this process, emptied."""
    one_sandbox.store.clear()
    one_sandbox.requests.clear()
    return one_sandbox


@pytest.fixture(scope="session")
def loads(one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Loads:
    """Keep the loads with which tests of this process begin."""
    return Loads(tmp_path_factory.mktemp("loads"))


@pytest.fixture
def real_drops() -> Path:
    """Return the folder of real drops, which are not part of the project."""
    folder = os.environ.get("ROSTER_FIXTURES")
    if not folder:
        pytest.skip("ROSTER_FIXTURES names no folder of real drops")
    return Path(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest tests first, so that no process still works when the others are done."""
    items.sort(key=rank)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the strength of the property tests, and why a run with skipped tests has failed."""
    terminalreporter.write_line(f"Strength: {STRENGTH}.")
    if os.environ.get(NO_SKIPS) and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line(
            f"{NO_SKIPS} is set, and tests were skipped: the run has failed.", red=True
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which tests were skipped, if `$ROSTER_NO_SKIPS` forbids that."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get(NO_SKIPS) and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
