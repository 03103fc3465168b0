"""What can happen to a feed, and how often."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.chaos.feed import ACCEPTED
from tests.chaos.registrar import EVENTS, FAULTS, GONE

PLACES = st.integers(0, 9)
EXPORT = {
    "happened": st.lists(
        st.tuples(st.sampled_from(sorted(EVENTS)), PLACES), min_size=1, max_size=5
    ),
    "mode": st.sampled_from(["bulk", "delta"]),
    # Most exports are sound.
    "fault": st.sampled_from(["", "", "", *sorted(FAULTS), *sorted(GONE)]),
    "place": PLACES,
}
# What can happen next, how often in a hundred times, and its parameters.
KINDS: dict[str, tuple[int, dict[str, st.SearchStrategy[Any]]]] = {
    "a_night": (28, EXPORT),
    "a_killed_night": (12, EXPORT | {"after": st.integers(ACCEPTED, 12)}),
    "an_export_that_nobody_loads": (5, EXPORT),
    "the_same_export_again": (6, {}),
    "an_approval": (10, {"back": st.just(0)}),
    "an_approval_of_an_old_plan": (12, {"back": st.integers(0, 4)}),
    "a_refusal": (4, {}),
    "a_restore": (5, {"back": PLACES}),
    "another_name": (4, {"late": st.booleans()}),
    "a_record_of_others": (5, {"kind": st.sampled_from(["users", "classes", "enrollments"]), "ahead": st.integers(1, 3)}),
    "a_property_of_others": (3, {"place": PLACES, "value": st.integers(1, 9)}),
    "a_change_of_others": (3, {"place": PLACES}),
    "a_repair": (5, {}),
}  # fmt: skip
WEIGHTED = [name for name, (times, _) in KINDS.items() for _ in range(times)]
TURNS = st.sampled_from(WEIGHTED).flatmap(
    lambda name: st.tuples(st.just(name), st.fixed_dictionaries(KINDS[name][1]))
)
