"""How tests are spread over processes: one by one, so that no core is idle at the end, but for those that share something slow.

pytest-xdist 3.8 offers `--dist loadgroup` for that. With pytest 9.2 it ignores the groups without a word: it puts the name of the
group into `Item._nodeid`, which that pytest no longer reads.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# What shares one Prefect server, and modules whose fixtures take seconds.
TOGETHER = ("tests/orchestration/", "tests/cli/test_privacy.py", "tests/export/test_api.py")
# Folders whose tests take longest begin first.
LONGEST = ("orchestration", "chaos", "year", "golden", "laws", "cli", "fuzzing", "export", "parity")


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process one test after the other; tests that belong together go to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


def rank(item: pytest.Item) -> int:
    """Give the place of a test in the order in which tests begin; those of one module stay in theirs."""
    folder = item.path.parent.name
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)
