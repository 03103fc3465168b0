"""Which steps of a replay are needed: those that are left lead to the same end as all of them."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from transforms.replay import Step, needed_steps

FIRST = date(2026, 9, 1)
ENTITIES = ("orgs", "users", "classes")
# What a drop says of an entity: the ids of a full snapshot, or ids to add.
Says = dict[str, tuple[bool, frozenset[int]]]
DROPS = st.lists(
    st.dictionaries(
        st.sampled_from(ENTITIES), st.tuples(st.booleans(), st.frozensets(st.integers(0, 5)))
    ),
    max_size=7,
)


def step(place: int, says: Says) -> Step:
    """A drop of a day."""
    whole = frozenset(name for name, (bulk, _) in says.items() if bulk)
    return Step(FIRST + timedelta(days=place), str(place), whole, frozenset(says) - whole)


def replayed(drops: list[Says], steps: list[Step]) -> dict[str, frozenset[int]]:
    """What a target holds after some of the drops."""
    holds: dict[str, frozenset[int]] = {}
    for says in (drops[int(one.source)] for one in steps):
        for name, (bulk, ids) in says.items():
            holds[name] = ids if bulk else holds.get(name, frozenset()) | ids
    return holds


@given(DROPS)
def test_the_needed_steps_lead_to_the_same_end(drops: list[Says]) -> None:
    """Whatever the drops are snapshots of; and the last step is always among them."""
    steps = [step(place, says) for place, says in enumerate(drops)]
    left = needed_steps(steps)

    assert replayed(drops, steps) == replayed(drops, left)
    assert steps[len(steps) - len(left) :] == left
    assert bool(steps) == bool(left)


def test_full_snapshots_collapse_to_the_last_one() -> None:
    """And changes after one of them stay."""
    everything, some = frozenset(ENTITIES), frozenset({"users"})
    days = [FIRST + timedelta(days=place) for place in range(4)]
    bulk = [Step(day, "drop", everything) for day in days[:3]]

    assert [bulk[2]] == needed_steps(bulk)
    assert [bulk[2], Step(days[3], "drop", partial=some)] == needed_steps(
        [*bulk, Step(days[3], "drop", partial=some)]
    )
    assert [*bulk[:1], Step(days[1], "drop", some)] == needed_steps(
        [*bulk[:1], Step(days[1], "drop", some)]
    )
