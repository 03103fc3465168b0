"""Forgetting, as a law over generated rosters and over real HTTP: once is enough, and for good."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.sandbox import Sandbox
from flows.forget.run import ForgetRequest, forget
from flows.result import DONE
from tests.laws.conftest import World, world
from tests.laws.strategies import Dirt, dirt, rosters
from tests.rosters import Rows
from tests.strength import expensive
from transforms.changes import imbalance


@expensive(8)
@given(rosters(), rosters(), st.lists(dirt(), max_size=2), st.data())
def test_whoever_is_forgotten_stays_so(
    sandbox: Sandbox, first: Rows, second: Rows, faults: list[Dirt], data: st.DataObject
) -> None:
    """After any two nights: the same drop sends nothing, an earlier one may come again, and nobody is brought back."""
    for fault in faults:
        second = fault(second)
    with world(sandbox) as one:
        one.approved(first)
        one.approved(second)
        users = sandbox.store.find("users")
        person = data.draw(st.sampled_from([user["sourcedId"] for user in users]))
        ours = person in one.known().get("users", set())

        code = _forgotten(one, person)
        one.forget()
        again = one.sync(second)

        assert (DONE, []) == (code, one.writes)
        assert {} == {
            name: off for name, counts in again.counts.items() if (off := imbalance(counts))
        }
        one.approved(first)
        record = sandbox.store.get("users", person) or {}
        assert not ours or ("forgotten", "tobedeleted") == (record["givenName"], record["status"])
        assert person not in one.known().get("users", set()) | _archived(one.folder / "state")


def _forgotten(one: World, person: str) -> int:
    environment = {
        "TIMEBACK_API_URL": one.sandbox.url,
        "TIMEBACK_TOKEN_URL": one.sandbox.token_url,
        "TIMEBACK_CLIENT_ID": "sandbox",
        "TIMEBACK_CLIENT_SECRET": "sandbox",
    }
    return forget(ForgetRequest(person), one.folder / "state", environment).exit_code


def _archived(state: Path) -> set[str]:
    """The ids of users in any roster that is kept, whatever became of them."""
    return {
        one for path in state.rglob("users-*.parquet") for one in pl.read_parquet(path)["sourcedId"]
    }
