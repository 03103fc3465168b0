"""Touch only what is ours, as a law over generated rosters: what others wrote into the target stays as they wrote it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.sandbox import Sandbox
from tests.laws.conftest import world
from tests.laws.strategies import rosters
from tests.rosters import Rows
from tests.strength import expensive

THEIRS = {"status": "active", "enabledUser": "true", "givenName": "Somebody", "familyName": "Else", "email": "else@example.edu"}  # fmt: skip


@expensive(12, 3)
@given(rosters(), rosters(), st.sets(st.sampled_from(["u0", "u1", "u2", "stranger"])))
def test_what_others_wrote_stays(sandbox: Sandbox, first: Rows, second: Rows, people: set[str]) -> None:
    """Whole records, also under an id that a drop has; and what they add to records of ours."""
    with world(sandbox) as one:
        before = {person: sandbox.store.put("users", {"sourcedId": person, **THEIRS}) for person in people}
        one.approved(first)
        ours = one.known().get("users", set())
        for person in ours:
            sandbox.store.put("users", {**(sandbox.store.get("users", person) or {}), "metadata": {"app": 7}})

        one.approved(second)

        assert before == {person: sandbox.store.get("users", person) for person in people}
        assert set() == ours & people
        assert {person: {"app": 7} for person in ours} == {
            person: (sandbox.store.get("users", person) or {})["metadata"] for person in ours
        }
