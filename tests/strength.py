"""How hard property tests look for a counterexample: `commit` or `full`.

`commit` is for every change, `full` for every night and every release. `$ROSTER_STRENGTH` chooses:
`make test` runs `commit`, and `make test-full` runs `full`. Both run the same properties. `full`
tries many examples, different ones each time, and shrinks a counterexample. `commit` tries a few,
the same each time. An input that once failed is an `@example` of its property, so both try it.
"""

from __future__ import annotations

import os
from typing import Literal

from hypothesis import HealthCheck, Phase, settings

Strength = Literal["commit", "full"]
STRENGTH: Strength = "full" if os.environ.get("ROSTER_STRENGTH") == "full" else "commit"
# Examples in `commit` strength: of a property that needs files, a server or processes; of others.
FEW, MANY = 5, 100
FULL_TIMES = 4
# To shrink a counterexample of an expensive property takes minutes, so only `full` does it.
PHASES = tuple(Phase) if STRENGTH == "full" else (Phase.explicit, Phase.reuse, Phase.generate)


def examples(usual: int, commit: int = FEW) -> int:
    """Return the number of examples: in `full` four times `usual`, else at most `commit`."""
    return usual * FULL_TIMES if STRENGTH == "full" else min(usual, commit)


def expensive(usual: int, commit: int = FEW) -> settings:
    """Return the settings of a property whose examples take long (numbers as in `examples`)."""
    return settings(
        max_examples=examples(usual, commit), phases=PHASES, suppress_health_check=list(HealthCheck)
    )


def register() -> None:
    """Make the strength the default of all properties. Cheap ones need no settings of their own."""
    settings.register_profile(
        STRENGTH,
        max_examples=examples(MANY, MANY),
        derandomize=STRENGTH == "commit",
        print_blob=True,
        deadline=None,  # tests never time anything
    )
    settings.load_profile(STRENGTH)
