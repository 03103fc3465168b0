"""The laws of the design, as properties over generated rosters and over real HTTP."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.oneroster.sandbox import Sandbox
from tests.laws.conftest import World, world
from tests.laws.strategies import CARRIED, Dirt, dirt, rosters
from tests.rosters import Rows, changed, without
from tests.strength import expensive
from transforms.changes import imbalance

some, few = expensive(25), expensive(12)


def spoiled(rows: Rows, faults: list[Dirt]) -> Rows:
    """Let everything go wrong that was drawn."""
    for fault in faults:
        rows = fault(rows)
    return rows


def held(one: World) -> dict[str, set[str]]:
    """The ids that the target holds as active."""
    return {name: set(one.sandbox.store.ids(name)) for name in CARRIED}


@some
@given(
    st.lists(
        st.tuples(rosters(), st.lists(dirt(), max_size=3), st.booleans()), min_size=1, max_size=3
    )
)
def test_every_record_is_counted_once(
    sandbox: Sandbox, nights: list[tuple[Rows, list[Dirt], bool]]
) -> None:
    """Whatever a night brings, its counts balance, and the target holds what the ledger says."""
    with world(sandbox) as one:
        for rows, faults, approve in nights:
            result = (one.approved if approve else one.sync)(spoiled(rows, faults))

            assert {} == {
                name: off for name, counts in result.counts.items() if (off := imbalance(counts))
            }
            assert result.status != "failed", result.troubles
            known = one.known()
            assert held(one) == {name: known.get(name, set()) for name in CARRIED}


@some
@given(rosters(), st.lists(dirt(), max_size=3))
def test_nothing_changed_nothing_sent(sandbox: Sandbox, rows: Rows, faults: list[Dirt]) -> None:
    """The same drop again sends no request at all, dirty rows included."""
    rows = spoiled(rows, faults)
    with world(sandbox) as one:
        one.approved(rows)
        one.forget()

        again = one.sync(rows)

        assert ([], 0) == (list(one.sandbox.requests), again.requests)


@few
@given(rosters())
def test_one_changed_row_is_one_write(sandbox: Sandbox, rows: Rows) -> None:
    """A changed name is one request, whoever the person is and whatever hangs on them."""
    with world(sandbox) as one:
        one.sync(rows)
        one.forget()

        one.sync(changed_user(rows, "u0", givenName="Changed"))

        assert [("PUT", "u0")] == [(method, path.rsplit("/", 1)[-1]) for method, path in one.writes]
        assert "Changed" == (sandbox.store.get("users", "u0") or {})["givenName"]


def changed_user(rows: Rows, user: str, **cells: str) -> Rows:
    """Change a user and nothing else that has the same id."""
    return {**rows, "users": changed({"users": rows["users"]}, user, **cells)["users"]}


@some
@given(rosters(), st.lists(dirt(), min_size=1, max_size=3))
def test_rejected_is_not_absent(sandbox: Sandbox, rows: Rows, faults: list[Dirt]) -> None:
    """Nobody whose row went bad overnight is deleted, even if every delete is approved."""
    with world(sandbox) as one:
        one.sync(rows)
        spoilt = spoiled(rows, faults)
        said = {
            name: {row["sourcedId"] for row in table if row.get("status") != "tobedeleted"}
            for name, table in spoilt.items()
        }

        one.approved(spoilt)

        left = held(one)
        for name in CARRIED:
            before = {row["sourcedId"] for row in rows.get(name, [])}
            assert before & said.get(name, set()) <= left[name]


@few
@given(rosters(), rosters())
def test_there_and_back(sandbox: Sandbox, first: Rows, second: Rows) -> None:
    """A, then B, then A leaves the target as A did, but for files that A lacks, and demographics, which stay with their user."""
    with world(sandbox) as one:
        one.approved(first)
        after = held(one)
        one.approved(second)

        one.approved(first)

        there = [name for name in CARRIED if first.get(name) and name != "demographics"]
        assert {name: after[name] for name in there} == {name: held(one)[name] for name in there}
        one.forget()
        assert 0 == one.sync(first).requests


@few
@given(rosters(), st.data())
def test_what_vanishes_goes_only_when_a_person_says_so(
    sandbox: Sandbox, rows: Rows, data: st.DataObject
) -> None:
    """Until then it is held, and the target keeps it."""
    assume(len(rows["classes"]) > 1)
    gone = data.draw(st.sampled_from([row["sourcedId"] for row in rows["classes"]]))
    rest = without(
        rows,
        gone,
        *(row["sourcedId"] for row in rows["enrollments"] if row["classSourcedId"] == gone),
    )
    with world(sandbox) as one:
        one.sync(rows)

        waiting = one.sync(rest)

        assert ("held", True) == (waiting.status, gone in held(one)["classes"])
        assert ("done", False) == (
            one.sync(rest, waiting.plan).status,
            gone in held(one)["classes"],
        )
