"""The distribution of tests over processes: one by one, except tests that share something slow.

So no core is idle at the end. pytest-xdist 3.8 offers `--dist loadgroup` for that. With pytest 9.2
it silently ignores the groups: it puts the name of the group into `Item._nodeid`, which that pytest
no longer reads.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# The tests that share one Prefect server, and modules whose fixtures take seconds.
TOGETHER = ("tests/orchestration/", "tests/cli/test_privacy.py", "tests/export/test_api.py")
# The folders whose tests take longest, in the order in which they start.
LONGEST = ("orchestration", "chaos", "year", "golden", "laws", "cli", "fuzzing", "export", "parity")


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process one test after another. Tests that belong together go to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


def rank(item: pytest.Item) -> int:
    """Return the rank of a test in the order of starts. Tests of one module keep their order."""
    folder = item.path.parent.name
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)
