"""`roster discard`: a plan that nobody wants is discarded, and the ledger keeps who did that and why."""

from __future__ import annotations

import getpass
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.ledger import Ledger
from tests.rosters import DISTRICT, changed, delta, district, drop, without
from tests.running import roster


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a feed with a plan that waits."""
    folder = tmp_path_factory.mktemp("held")
    roster("sync", drop(folder / "drop", district()), state=folder / "state")
    roster("sync", drop(folder / "drop", without(district(), "e1")), state=folder / "state")
    return folder


@pytest.fixture
def state(held: Path, tmp_path: Path) -> Path:
    """The state of that feed, to be changed."""
    return shutil.copytree(held, tmp_path / "feed") / "state"


def waiting(state: Path) -> str:
    """Name the plan that waits."""
    with Ledger.reading(state / "ledger.db") as ledger:
        return next((plan.id for plan in ledger.plans(status="open")), "")


def test_a_discarded_plan_cannot_be_approved(state: Path) -> None:
    """Who discarded it, and why, is kept."""
    plan = waiting(state)

    discarded = roster(
        "discard", plan, "--by", "Data Office", "--note", "wrong export", state=state
    )
    approved = roster("sync", state.parent / "drop", "--approve", plan, state=state)

    with Ledger.reading(state / "ledger.db") as ledger:
        (decision,) = ledger.decisions(plan)
    assert (0, 2, True) == (discarded.code, approved.code, "was discarded" in approved.err)
    assert ("discarded", "Data Office", "wrong export") == (
        decision.what,
        decision.by,
        decision.note,
    )
    assert "" == waiting(state)


def test_who_says_nothing_is_named_by_the_system(state: Path) -> None:
    """The name of the account."""
    plan = waiting(state)

    roster("discard", plan, state=state)

    with Ledger.reading(state / "ledger.db") as ledger:
        assert [getpass.getuser()] == [decision.by for decision in ledger.decisions(plan)]


def test_a_plan_that_is_not_there_is_told_with_those_that_wait(state: Path) -> None:
    """Exit 2, and nothing is decided."""
    plan = waiting(state)

    run = roster("discard", "0000000000", state=state)

    assert (2, True, True) == (run.code, "no plan '0000000000'" in run.err, plan in run.err)
    assert plan == waiting(state)


@pytest.mark.parametrize("status", ["discarded", "replaced", "expired", "approved", "sent"])
def test_a_plan_that_is_decided_stays_so(status: str, state: Path) -> None:
    """Exit 2, and the message says what became of the plan."""
    plan = waiting(state)
    with Ledger(state / "ledger.db") as ledger:
        for one in ("approved", "sent") if status == "sent" else (status,):
            ledger.decide(plan, one, by="Data Office", note="", at=datetime.now(UTC))

    run = roster("discard", plan, state=state)

    assert (2, True) == (run.code, {"replaced": "by a newer one"}.get(status, status) in run.err)


def test_what_was_discarded_is_held_again_by_the_same_drop(state: Path) -> None:
    """Discarding a plan changes no limit."""
    plan = waiting(state)
    roster("discard", plan, state=state)

    run = roster("sync", state.parent / "drop", "--json", state=state)

    assert (3, plan) == (run.code, run.json["plan"])
    assert plan == waiting(state)


def test_what_names_somebody_who_was_let_go_of_waits(tmp_path: Path) -> None:
    """Nobody is named to the target who is not there: a seat waits for its new owner, each night again."""
    state = tmp_path / "state"
    roster("sync", drop(tmp_path / "drop", district()), state=state)
    (user, role, seat) = (DISTRICT[name][1] for name in ("users", "roles", "enrollments"))
    moved = {
        "users": [user | {"sourcedId": "new"}],
        "roles": [role | {"userSourcedId": "new"}],
        "enrollments": [seat | {"userSourcedId": "new"}],
    }
    held = roster("sync", drop(tmp_path / "drop", delta(moved), "delta"), "--json", state=state)
    roster("discard", held.json["plan"], state=state)
    tia = changed(
        {"users": [DISTRICT["users"][2]], "roles": [DISTRICT["roles"][2]]}, "tia", givenName="Mia"
    )
    drop(tmp_path / "drop", delta(tia), "delta")

    runs = [roster("sync", tmp_path / "drop", "--json", state=state) for _ in range(2)]

    assert 3 == held.code
    assert [(0, 1), (0, 1)] == [(run.total("failed"), run.total("waiting")) for run in runs]
