"""A district's first load: nothing is sent before a person has seen the plan, and all of it is there afterwards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectors.ledger import Plan
from flows.decide import DecisionRequest
from flows.first_load import FirstLoadMeans, first_load
from flows.make_job import make_job
from flows.options import Options
from flows.reports.run import write_run_files
from flows.result import FlowEnd, RunResult
from flows.run import run_job
from flows.verify import Verification, compare_feed
from flows.watch import Watch
from tests.rosters import district, drop
from tests.running import roster

APPROVED = DecisionRequest("approve", "Data Office", "seen")


class Onboarding:
    """A district that was never loaded, its drop and its feed file; `pages` are what people were shown."""

    def __init__(self, folder: Path) -> None:
        drop(folder / "drop", district())
        self.state, self.file = folder / "state", folder / "larkspur.toml"
        self.feed('url = "sandbox"\nemail_template = "{sourcedId}@students.example.edu"')
        self.pages: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.held_at_asking = -1

    def feed(self, target: str) -> None:
        """Write the feed file."""
        self.file.write_text(f'district = "larkspur"\ndrop = "drop"\n[target]\n{target}\n')

    def run(
        self, answer: DecisionRequest | None, environment: Mapping[str, str] = os.environ
    ) -> FlowEnd:
        """Onboard, with a person who gives this answer."""

        def ask(plan: Plan, _text: str) -> DecisionRequest | None:
            self.asked.append(plan.id)
            self.held_at_asking = self.records()
            return answer

        means = FirstLoadMeans(Watch(), ask, _performed, _verified, self.pages.__setitem__)
        return first_load(Options("sync", self.file, state=self.state), environment, means)

    def records(self) -> int:
        """How many active records of the district the target holds."""
        read = roster(
            "get",
            "users",
            "--target",
            "sandbox",
            "--filter",
            "status='active'",
            "--json",
            state=self.state,
        )
        return len(read.out.splitlines())


def _performed(options: Options) -> RunResult:
    result = run_job(make_job(options, os.environ), Watch())
    write_run_files(result, str(options.drop))
    return result


def _verified(options: Options) -> Verification:
    return compare_feed(make_job(options, os.environ))


@pytest.fixture
def onboarding(tmp_path: Path) -> Onboarding:
    """A district that was never loaded."""
    return Onboarding(tmp_path)


def test_what_a_person_approved_is_loaded_and_verified(onboarding: Onboarding) -> None:
    """The preflight and the probe of this staging target were shown before; the next night sends nothing."""
    end = onboarding.run(APPROVED)
    night = roster("sync", onboarding.file, "--json", state=onboarding.state)

    assert ("Completed", True) == (end.name, end.message.endswith("Verified: the target holds it."))
    assert (0, True) == (onboarding.held_at_asking, onboarding.records() > 0)
    assert ["preflight", "probe"] == list(onboarding.pages)
    assert ("unchanged", 0) == (night.json["status"], night.json["requests"])


@pytest.mark.parametrize(
    ("answer", "name"),
    [(DecisionRequest("reject", "Data Office"), "Rejected"), (None, "Timed out")],
)
def test_without_an_approval_nothing_is_sent(
    onboarding: Onboarding, answer: DecisionRequest | None, name: str
) -> None:
    """Whether somebody said no, or nobody said anything."""
    end = onboarding.run(answer)

    assert (name, 1, 0) == (end.name, len(onboarding.asked), onboarding.records())


def test_nobody_is_asked_before_the_preflight_is_well(onboarding: Onboarding) -> None:
    """Here the target cannot be reached: the page says so, and nothing is planned."""
    onboarding.feed('url = "http://127.0.0.1:9"\naccess_token_env = "LARKSPUR_TOKEN"')
    end = onboarding.run(APPROVED, {"LARKSPUR_TOKEN": "hush"})

    assert ("Not ready", []) == (end.name, onboarding.asked)
    assert [line for line in onboarding.pages["preflight"] if "127.0.0.1:9" in line]


def test_a_drop_that_is_refused_is_not_planned(onboarding: Onboarding) -> None:
    """The preflight has read it, and says that it would be refused."""
    (onboarding.file.parent / "drop" / "users.csv").write_bytes(b"")
    end = onboarding.run(APPROVED)

    assert (True, []) == (end.name in ("Not ready", "Refused"), onboarding.asked)


def test_a_district_that_is_loaded_already_has_nothing_to_approve(onboarding: Onboarding) -> None:
    """Onboarded twice by mistake: nobody is asked, and nothing is sent."""
    onboarding.run(APPROVED)
    end = onboarding.run(APPROVED)

    assert ("Completed", 1) == (end.name, len(onboarding.asked))
