"""Fixtures for every test, how tests are spread over processes, and the rule that nothing skips where nothing may."""

from __future__ import annotations

import os

# Several test processes keep every core busy, and threads of polars in each would only hinder the others. In one process alone,
# polars has all its threads. It reads this variable once, when it is imported.
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
    """Start two processes more than there are cores: one has the tests of Prefect and mostly waits, and the others wait at times."""
    return (os.cpu_count() or 1) + 2


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Spread:
    """Spread tests one by one, but for those that belong together."""
    return Spread(config, log)


@pytest.fixture(scope="session")
def one_sandbox() -> Iterator[Sandbox]:
    """Serve one sandbox over real HTTP for all tests of this process."""
    with Sandbox(None) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Sandbox) -> Sandbox:
    """Give the sandbox of this process, emptied."""
    one_sandbox.store.clear()
    one_sandbox.requests.clear()
    return one_sandbox


@pytest.fixture(scope="session")
def loads(one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Loads:
    """Keep the loads that tests of this process begin with."""
    return Loads(tmp_path_factory.mktemp("loads"))


@pytest.fixture
def real_drops() -> Path:
    """Give the folder of real drops, which are not part of the project."""
    folder = os.environ.get("ROSTER_FIXTURES")
    if not folder:
        pytest.skip("ROSTER_FIXTURES names no folder of real drops")
    return Path(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest, so that no process works long after the others have ended."""
    items.sort(key=rank)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how hard properties have looked, and why a run in which tests were skipped has failed."""
    terminalreporter.write_line(f"Strength: {STRENGTH}.")
    if os.environ.get(NO_SKIPS) and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line(
            f"{NO_SKIPS} is set, and tests were skipped: the run has failed.", red=True
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which tests were skipped, if none may be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get(NO_SKIPS) and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
