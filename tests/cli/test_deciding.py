"""A person decides on a plan that waits: by a form, here a function, that leads to the same plan as the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.ledger import Ledger, Plan
from flows.decide import Ask, DecisionRequest, decide
from flows.errors import SettingsError
from flows.make_job import make_job
from flows.options import Options
from flows.orchestration.flow_end import flow_end
from flows.reports.run import write_run_files
from flows.result import FlowEnd
from flows.run import run_job
from flows.watch import Watch
from tests.rosters import DISTRICT, delta, district, drop, without
from tests.running import roster

APPROVED = DecisionRequest("approve", "Data Office", "graduation")
REJECTED = DecisionRequest("reject", "Data Office", "the export was cut short")


class Held:
    """A feed of which one delete is on hold."""

    def __init__(self, folder: Path) -> None:
        self.drop, self.state = drop(folder / "drop", district()), folder / "state"
        roster("sync", self.drop, state=self.state)
        drop(self.drop, without(district(), "e1"))
        self.plan = roster("sync", self.drop, "--json", state=self.state).json["plan"]
        self.asked: list[tuple[Plan, str]] = []

    def decide(self, answer: DecisionRequest | None, plan: str = "") -> FlowEnd:
        """Decide on a plan as a person who says this."""
        return decide(
            plan,
            Options("sync", self.drop, state=self.state),
            os.environ,
            self._asking(answer),
            _performed,
        )

    def _asking(self, answer: DecisionRequest | None) -> Ask:
        def ask(plan: Plan, text: str) -> DecisionRequest | None:
            self.asked.append((plan, text))
            return answer

        return ask

    def sent(self) -> bool:
        """Whether the target has lost the record."""
        read = roster(
            "get",
            "enrollments",
            "--target",
            "sandbox",
            "--filter",
            "sourcedId='e1'",
            "--json",
            state=self.state,
        )
        return '"tobedeleted"' in read.out


def _performed(options: Options) -> FlowEnd:
    result = run_job(make_job(options, os.environ), Watch())
    write_run_files(result, str(options.drop))
    return flow_end(result, str(options.drop))


@pytest.fixture
def held(tmp_path: Path) -> Held:
    """A feed with a plan that waits."""
    return Held(tmp_path)


def test_what_is_approved_is_sent_and_who_approved_is_kept(held: Held) -> None:
    """The person sees the plan without names; the ledger keeps who it was and why."""
    end = held.decide(APPROVED)
    with Ledger.reading(held.state / "ledger.db") as ledger:
        decisions = ledger.decisions(held.plan)

    [(plan, text)] = held.asked
    assert ("Completed", True) == (end.name, held.sent())
    assert (held.plan, True) == (plan.id, f"# Plan {held.plan}" in text and "e1" in text)
    assert [("approved", "Data Office", "graduation"), ("sent", "Data Office", "graduation")] == [
        (one.what, one.by, one.note) for one in decisions
    ]


def test_whoever_is_in_the_drop_again_is_not_removed_by_a_form_either(held: Held) -> None:
    """The corrected export came after the plan: the person who approves is notified, and nothing is sent."""
    drop(held.drop, district())

    with pytest.raises(SettingsError, match=f"Nothing of plan {held.plan} is left to send"):
        held.decide(APPROVED)
    assert not held.sent()


def test_what_is_left_of_an_approval_is_asked_about_as_what_it_is(held: Held) -> None:
    """Its page stands in the place of the first plan's, which said more than is left."""
    drop(held.drop, without(district(), "e1", "e2", "c2"))
    plan = roster("sync", held.drop, "--json", state=held.state).json["plan"]
    roster(
        "sync",
        drop(
            held.drop,
            delta({"enrollments": [DISTRICT["enrollments"][1] | {"sourcedId": "e9"}]}),
            "delta",
        ),
        state=held.state,
    )
    end = held.decide(APPROVED, plan)

    held.decide(None)

    [_, (left, text)] = held.asked
    assert ("Held", True) == (end.name, left.id in end.message)
    assert (f"# Plan {left.id} of run {left.run}", True, False) == (
        text.splitlines()[0],
        "- classes: 1 record is still named by 1 that stays (enrollments:e9)." in text,
        "| enrollments |" in text,
    )


def test_what_is_rejected_is_discarded(held: Held) -> None:
    """Nothing is sent, and the plan cannot be approved any more by either door."""
    end = held.decide(REJECTED)
    late = roster("sync", held.drop, "--approve", held.plan, state=held.state)

    assert ("Rejected", False) == (end.name, held.sent())
    assert (2, True) == (late.code, "was discarded" in late.err)


def test_what_nobody_decides_on_goes_on_waiting(held: Held) -> None:
    """The time is over; the plan is as it was, and the command line can still approve it."""
    end = held.decide(None)
    later = roster("sync", held.drop, "--approve", held.plan, state=held.state)

    assert ("Timed out", True) == (end.name, held.plan in end.message)
    assert (0, True) == (later.code, held.sent())


@pytest.mark.parametrize(
    ("plan", "said"), [("nosuchplan", "no plan 'nosuchplan'"), ("", "No plan")]
)
def test_only_a_plan_that_waits_is_asked_about(held: Held, plan: str, said: str) -> None:
    """One that is over, or never was, is refused before anybody is asked."""
    if not plan:
        held.decide(REJECTED)
    held.asked.clear()
    with pytest.raises(SettingsError, match=said):
        held.decide(APPROVED, plan)

    assert [] == held.asked
