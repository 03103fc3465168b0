"""Fixtures for every test, and the rule that nothing skips where nothing may."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

NO_SKIPS = "ROSTER_NO_SKIPS"
# The folder whose tests need a Prefect server, which takes a while to start.
SERVED = "orchestration"

# Where nobody is there to look, the same examples every time; elsewhere new ones.
settings.register_profile("steady", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("steady")


@pytest.fixture
def real_drops() -> Path:
    """Give the folder of real drops, which are not part of the project."""
    folder = os.environ.get("ROSTER_FIXTURES")
    if not folder:
        pytest.skip("ROSTER_FIXTURES names no folder of real drops")
    return Path(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take the longest, so that no process ends long after the others."""
    items.sort(key=lambda item: item.path.parent.name != SERVED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run in which tests were skipped has failed."""
    if os.environ.get(NO_SKIPS) and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line(f"{NO_SKIPS} is set, and tests were skipped: the run has failed.", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which tests were skipped, if none may be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get(NO_SKIPS) and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
