"""Agents of users: other users, who come first, or in a second pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connectors.oneroster.load import RecordProblem
from connectors.oneroster.sandbox import Sandbox
from tests.oneroster.districts import ORGS, District, opened, user

CIRCLE = [user("a", agents="b"), user("b", agents="a")]


@pytest.fixture
def district(tmp_path: Path, sandbox: Sandbox) -> Iterator[District]:
    """A sandbox that holds the orgs."""
    with opened(sandbox, tmp_path) as district:
        district.load(orgs=ORGS)
        district.writes()
        yield district


def agents(district: District, sourced_id: str) -> set[str]:
    """Read the agents of a user."""
    return {agent["sourcedId"] for agent in district.read("users", sourced_id).get("agents") or []}


def test_agents_who_come_first_cost_nothing(district: District) -> None:
    """Parents have no agents of their own, so that children can be sent whole."""
    loaded = district.load(users=[user("child", agents="mum,dad"), user("mum"), user("dad")])

    assert (loaded.counts, district.writes()) == (
        {"users": {"created": 3}},
        [("POST", "users/")] * 3,
    )
    assert agents(district, "child") == {"mum", "dad"}


def test_agents_in_a_circle_take_a_second_pass(district: District) -> None:
    """A user is sent without agents who are not there yet, and gets them after all users."""
    loaded = district.load(users=CIRCLE)

    assert loaded.counts == {"users": {"created": 2}}
    assert sorted(district.writes()) == [("POST", "users/")] * 2 + [
        ("PUT", "users/a"),
        ("PUT", "users/b"),
    ]
    assert (agents(district, "a"), agents(district, "b")) == ({"b"}, {"a"})
    assert district.load(users=CIRCLE).requests == 0


def test_known_agents_cost_nothing(district: District) -> None:
    """Who is in the ledger is in the target."""
    district.load(users=[user("mum")])
    district.writes()

    district.load(users=[user("child", agents="mum")])

    assert (district.writes(), agents(district, "child")) == ([("POST", "users/")], {"mum"})


def test_a_new_agent_costs_one_write(district: District) -> None:
    """One changed row is one write, whoever it names."""
    district.load(users=[user("child"), user("mum")])
    district.writes()

    loaded = district.load(users=[user("child", agents="mum")])

    assert (loaded.counts, district.writes()) == (
        {"users": {"updated": 1}},
        [("PUT", "users/child")],
    )


def test_a_changed_user_with_an_agent_to_come_costs_one_write_more(district: District) -> None:
    """The row, and then its agents."""
    district.load(users=[user("a")])
    district.writes()

    loaded = district.load(users=[user("a", agents="b", givenName="Anna"), user("b", agents="a")])

    assert loaded.counts == {"users": {"updated": 1, "created": 1}}
    assert district.writes().count(("PUT", "users/a")) <= 2
    assert agents(district, "a") == {"b"}


def test_no_agents_any_more(district: District) -> None:
    """The last agent is taken away, as any column that is blank now."""
    district.load(users=[user("child", agents="mum"), user("mum")])

    loaded = district.load(users=[user("child")])

    assert (loaded.counts, agents(district, "child")) == ({"users": {"updated": 1}}, set())


def test_a_user_waits_for_an_agent_who_failed(district: District) -> None:
    """He is in the target without, and is sent again when the agent is there."""
    rows = [user("child", agents="mum"), user("mum", givenName="Eva")]
    district.twist = lambda request: httpx.Response(422) if b"Eva" in request.content else None

    loaded = district.load(users=rows)

    assert loaded.counts == {"users": {"failed": 1, "waiting": 1}}
    assert loaded.troubles[1] == RecordProblem(
        "users", "child", "waiting", "its agent users:mum is not in the target"
    )
    assert district.active("users") == {"child"}

    district.twist = None
    assert district.load(users=rows).counts == {"users": {"created": 1, "updated": 1}}
    assert agents(district, "child") == {"mum"}


def test_others_who_need_the_user_do_not_wait_for_agents(district: District) -> None:
    """The user is in the target, whoever acts for him."""
    loaded = district.load(
        users=[user("u", agents="nobody")], demographics=[{"sourcedId": "u", "sex": "male"}]
    )

    assert loaded.counts == {"users": {"waiting": 1}, "demographics": {"created": 1}}


def test_a_second_pass_that_fails_is_a_failure(district: District) -> None:
    """The user is counted once, and the ledger holds a difference for the next run."""
    district.twist = lambda request: httpx.Response(422) if request.method == "PUT" else None

    assert district.load(users=CIRCLE).counts == {"users": {"failed": 2}}

    district.twist = None
    assert district.load(users=CIRCLE).counts == {"users": {"updated": 2}}
    assert (agents(district, "a"), district.load(users=CIRCLE).requests) == ({"b"}, 0)


def test_a_run_that_ends_between_the_passes_leaves_a_difference(district: District) -> None:
    """What the first pass sent is recorded, but not as the drop has it."""

    def fail(request: httpx.Request) -> None:
        if request.method != "POST":
            raise httpx.ConnectError("gone", request=request)

    district.twist = fail
    assert district.load(users=CIRCLE).counts == {"users": {"waiting": 2}}
    assert district.active("users") == {"a", "b"}

    district.twist = None
    assert district.load(users=CIRCLE).counts == {"users": {"updated": 2}}
    assert (agents(district, "a"), agents(district, "b")) == ({"b"}, {"a"})


def test_a_user_who_is_gone_before_the_second_pass_fails(district: District) -> None:
    """There is nobody to whom agents could be added."""

    def forget(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(404) if request.method == "GET" else None

    district.twist = forget

    assert district.load(users=CIRCLE).counts == {"users": {"failed": 2}}
