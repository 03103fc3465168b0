"""Touch only what is ours, as a law over generated rosters: what others wrote into the target stays as they wrote it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.conftest import world
from tests.laws.strategies import rosters
from tests.oneroster.odd import Met, odd
from tests.rosters import Rows
from tests.strength import expensive

PEOPLE = ("u0", "u1", "u2", "u3")
THEIRS = {"status": "active", "enabledUser": "true", "givenName": "Somebody", "familyName": "Else", "email": "else@example.edu"}  # fmt: skip


@expensive(12, 3)
@given(rosters(), rosters(), st.sets(st.sampled_from(["u0", "u1", "u2", "stranger"]), max_size=2))
def test_what_others_wrote_stays(first: Rows, second: Rows, people: set[str]) -> None:
    """Whole records, also under an id that a drop has; and what they add to records of ours, which an update replaces."""
    first, second = with_users(first, "Before"), with_users(second, "After")
    updated: set[str] = set()

    def replaces(met: Met) -> None:
        if met.method == "PUT" and met.collection == "users":
            updated.add(met.sourced_id)
            met.store.put("users", {"sourcedId": met.sourced_id, "status": "active"})

    with odd(replaces) as sandbox, world(sandbox) as one:
        before = {
            person: sandbox.store.put("users", {"sourcedId": person, **THEIRS}) for person in people
        }
        one.approved(first)
        ours = one.known().get("users", set())
        for person in ours:
            sandbox.store.put(
                "users", {**(sandbox.store.get("users", person) or {}), "metadata": {"app": 7}}
            )
        updated.clear()

        one.approved(second)

        assert before == {person: sandbox.store.get("users", person) for person in people}
        assert set() == ours & people
        assert (len(ours - people) > 0) <= (len(updated) > 0)
        assert {person: {"app": 7} for person in ours} == {
            person: (sandbox.store.get("users", person) or {})["metadata"] for person in ours
        }


def with_users(rows: Rows, name: str) -> Rows:
    """Let a roster have four users, all of one given name."""
    users = {row["sourcedId"]: row for row in rows["users"]}
    role = rows["roles"][0]
    everybody = [
        {
            **rows["users"][0],
            "agentSourcedIds": "",
            **users.get(one, {}),
            "sourcedId": one,
            "givenName": name,
        }
        for one in PEOPLE
    ]
    roles = {row["userSourcedId"]: row for row in rows["roles"]}
    return {
        **rows,
        "users": everybody,
        "roles": [
            roles.get(one, {**role, "sourcedId": f"r-{one}", "userSourcedId": one})
            for one in PEOPLE
        ],
    }
