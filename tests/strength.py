"""How hard properties look for a counterexample: `commit` for every change, `full` for every night and every release.

`$ROSTER_STRENGTH` chooses; `make test` runs `commit`, and `make test-full` runs `full`. Both run the same properties. `full` tries
many examples, other ones every time, and looks for a smaller counterexample once it has found one. `commit` tries a few, the
same every time. An input that once failed is an `@example` of its property, so both strengths try it.
"""

from __future__ import annotations

import os
from typing import Literal

from hypothesis import HealthCheck, Phase, settings

Strength = Literal["commit", "full"]
STRENGTH: Strength = "full" if os.environ.get("ROSTER_STRENGTH") == "full" else "commit"
# The numbers of examples in `commit` strength: of a property that needs files, a server or processes, and of any other.
FEW, MANY = 5, 100
FULL_TIMES = 4
# A smaller counterexample of an expensive property takes minutes to find: only the full strength looks for it.
PHASES = tuple(Phase) if STRENGTH == "full" else (Phase.explicit, Phase.reuse, Phase.generate)


def examples(usual: int, commit: int = FEW) -> int:
    """Give the number of examples: at most `commit`, or in full strength four times the `usual` number."""
    return usual * FULL_TIMES if STRENGTH == "full" else min(usual, commit)


def expensive(usual: int, commit: int = FEW) -> settings:
    """Give the settings of a property whose examples take long: four times `usual` examples in full strength, else `commit`."""
    return settings(
        max_examples=examples(usual, commit), phases=PHASES, suppress_health_check=list(HealthCheck)
    )


def register() -> None:
    """Make the strength the default of all properties, so that cheap ones need no settings of their own."""
    settings.register_profile(
        STRENGTH,
        max_examples=examples(MANY, MANY),
        derandomize=STRENGTH == "commit",
        print_blob=True,
        deadline=None,  # tests never time anything
    )
    settings.load_profile(STRENGTH)
