"""What people are notified of: one cause for each thing to act on, whatever its numbers, and nothing that a target answered."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from connectors.oneroster.outcomes import RecordProblem
from connectors.oneroster.target import TargetError
from flows.notify.causes import (
    causes_of,
    completely_known_kinds,
    early_end_cause,
    kind_of,
    without_answer,
    without_numbers,
)
from flows.result import NOTICE_KINDS, RunResult
from transforms.changes import Counts, Term
from transforms.findings import ERRORS, Findings
from transforms.guard import Hold

NOTHING = pl.DataFrame(schema=ERRORS)
HELD = pl.DataFrame([("users", "ana")], schema=["entity", "sourcedId"], orient="row")


def result(counts: dict[Term, int] | None = None, **more: Any) -> RunResult:
    """A sync of users."""
    users: Counts = dict(counts or {"read": 3, "unchanged": 3})
    return RunResult(
        "r1", "sync", "larkspur", "sandbox", {"users": users}, Findings(), NOTHING, **more
    )


def trouble(sourced_id: str, detail: str, term: Term = "failed") -> RecordProblem:
    """A user that did not arrive."""
    return RecordProblem("users", sourced_id, term, detail)


def told(one: RunResult) -> list[tuple[str, str]]:
    """The kinds and sentences of the causes of a run."""
    return [
        (cause.kind, " ".join(cause.sentences)) for cause in causes_of(one, "feed.toml", "today")
    ]


def test_a_good_run_has_no_causes() -> None:
    """And knows that all are over."""
    assert [] == told(result())
    assert frozenset(NOTICE_KINDS) == completely_known_kinds(result(), whole=True)


def test_records_that_failed_are_told_by_kind_and_not_by_what_the_target_said() -> None:
    """One cause for each entity and status."""
    troubles = (
        trouble("ana", "HTTP 422: Ana Diaz is taken"),
        trouble("bo", "HTTP 422: no"),
        trouble("tia", "ReadTimeout"),
    )
    found = result({"read": 3, "failed": 3}, troubles=troubles)

    assert [
        ("failed", "The target did not accept 2 users (HTTP 422)."),
        ("failed", "The target did not accept 1 user."),
    ] == told(found)


def test_another_person_or_number_is_no_other_cause() -> None:
    """But another status is."""
    (one,), (same,), (other,) = (
        causes_of(result({"read": 2, "failed": count}, troubles=troubles), "feed.toml", "")
        for count, troubles in (
            (1, (trouble("ana", "HTTP 422: a"),)),
            (2, (trouble("bo", "HTTP 422: b"), trouble("tia", "HTTP 422: c"))),
            (1, (trouble("ana", "HTTP 403: a"),)),
        )
    )

    assert one.told_to("$A") == same.told_to("$A")
    assert one.told_to("$A") != other.told_to("$A")
    assert one.told_to("$A") != one.told_to("$B")
    assert "failed" == kind_of(one.told_to("$A"))
    assert [True, False] == [cause.is_told_by(same.told_to("$B")) for cause in (one, other)]


def test_records_that_are_unaccounted_for_are_told() -> None:
    """It is a fault of this program."""
    assert [("failed", "Some records are unaccounted for. The report says how many.")] == told(
        result({"read": 3})
    )


def test_what_is_held_is_told_without_ids() -> None:
    """Examples in parentheses stay in the report."""
    hold = Hold(
        "still_named",
        "classes",
        "",
        1,
        "classes: 1 record is still named by 1 that stays (enrollments:e1).",
    )
    found = result({"read": 1, "held": 1}, plan="p1", holds=(hold,), records=HELD)

    assert [("held", "classes: 1 record is still named by 1 that stays.")] == told(found)
    assert ["roster sync feed.toml --approve p1"] == [
        cause.command for cause in causes_of(found, "feed.toml", "")
    ]


def test_a_plan_that_still_waits_is_the_same_cause() -> None:
    """As on the night on which it was made."""
    made, waits = result(plan="p1", records=HELD), result(plan="p1", waits="r0")

    assert [True] == [
        now.told_to("$A") == then.told_to("$A")
        for now, then in zip(causes_of(waits, "f", ""), causes_of(made, "f", ""), strict=True)
    ]


def test_what_others_wrote_is_told_by_entity() -> None:
    """Foreign records have no plan."""
    found = result(
        {"read": 2, "held": 2}, troubles=(trouble("ana", "x", "held"), trouble("bo", "x", "held"))
    )

    assert [
        (
            "held",
            "The target already has 2 users with other values, and this feed did not send them.",
        )
    ] == told(found)


@pytest.mark.parametrize(
    ("whole", "more", "kinds"),
    [
        (True, {"error": "down"}, {"refused", "held", "stale"}),
        (False, {}, {"held"}),
        (False, {"error": "down"}, set()),
        (True, {"refused": NOTHING.clear(1)}, {"refused"}),
    ],
)
def test_a_run_ends_only_what_it_knows_of(
    whole: bool, more: dict[str, object], kinds: set[str]
) -> None:
    """What broke off, was refused or did not judge a drop leaves the rest as it was."""
    values: dict[str, Any] = {"refused": NOTHING} | more
    found = RunResult("r1", "sync", "larkspur", "sandbox", {}, Findings(), **values)

    assert kinds == completely_known_kinds(found, whole=whole)


def test_a_run_that_broke_off_is_one_cause_whatever_its_numbers() -> None:
    """And nothing of a target's answer is shown."""
    one, same = (
        early_end_cause(error, str(error), "feed.toml")
        for error in (
            TargetError(
                "api.example.edu is down: 5 requests in a row failed, the last with 'HTTP 503: Ana's'"
            ),
            TargetError(
                "api.example.edu is down: 12 requests in a row failed, the last with 'HTTP 503: x'"
            ),
        )
    )

    assert one.told_to("$A") == same.told_to("$A")
    assert (
        "api.example.edu is down: 5 requests in a row failed, the last with HTTP 503",
    ) == one.sentences


def test_names_of_runs_and_numbers_are_no_part_of_a_cause() -> None:
    """Nor is what a target answered."""
    assert "run of # records" == without_numbers("20261124-023000-ab12 of 1,204 records")
    assert "HTTP 500" == without_answer("HTTP 500: line\nline")
