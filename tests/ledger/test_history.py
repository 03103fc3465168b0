"""Runs, plans and decisions are kept, whichever database keeps them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.ledger import Decision, FeedKey, Ledger, Plan, Run
from connectors.ledger.history import PlanStatus
from transforms.guard import PLANNED_COLUMNS, Hold

KEY = FeedKey("sandbox", "larkspur-valley")
OTHER = FeedKey("sandbox", "other")
NIGHT = datetime(2026, 9, 1, 2, 30, tzinfo=UTC)
DAY = timedelta(days=1)
BEGUN = Run(
    "r1",
    KEY,
    "sync",
    NIGHT,
    drop="night.zip",
    drop_date=date(2026, 8, 31),
    max_age_hours=36.5,
    approved="p0",
)
ENDED = replace(
    BEGUN, content="c" * 32, roster="r1", ended=NIGHT + timedelta(minutes=5, microseconds=1), status="held", exit_code=3,
    counts={"users": {"read": 3, "held": 1}}, plan="p1", raised="once", requests=2**31 - 1, note="It's 100 % %(late)s",
)  # fmt: skip
PLAN = Plan(
    "p1",
    KEY,
    "r1",
    NIGHT,
    NIGHT + 14 * DAY,
    holds=(Hold("vanished", "users", "s1", 30, "30 of 100 vanished."),),
)
RECORDS = pl.DataFrame(
    [
        ("enrollments", "e2", "delete", None, 4, "active", "s1", "05", "vanished"),
        ("users", "u1", "create", 2**63 - 1, None, None, None, None, "parent"),
        ("users", "u2", "update", -(2**63), 7, "kept", "s1", None, "changed"),
    ],
    schema=PLANNED_COLUMNS,
    orient="row",
)


def decide(ledger: Ledger, plan: str, status: PlanStatus, by: str = "kim") -> bool:
    """Decide on a plan in the morning."""
    return ledger.decide(plan, status, by=by, note=f"{by} has asked the school", at=NIGHT + DAY)


def test_a_run_is_kept_as_it_began_and_as_it_ended(ledger: Ledger) -> None:
    """All that is known of a run comes back as it was."""
    ledger.begin(BEGUN)
    begun = ledger.run("r1")
    ledger.finish(ENDED)

    assert (BEGUN, ENDED, None) == (begun, ledger.run("r1"), ledger.run("r2"))


def test_runs_are_given_newest_first_of_one_feed_or_of_all(ledger: Ledger) -> None:
    """A fraction of a second counts, too."""
    moments = {
        "a": timedelta(),
        "b": timedelta(microseconds=1),
        "c": DAY,
        "d": timedelta(seconds=1),
    }
    for name, since in moments.items():
        ledger.begin(Run(name, OTHER if name == "d" else KEY, "sync", NIGHT + since))

    given = (
        ledger.runs(KEY),
        ledger.runs(),
        ledger.runs(last=2),
        ledger.runs(FeedKey("sandbox", "nobody")),
    )
    assert ("cba", "cdba", "cd", "") == tuple("".join(run.id for run in runs) for runs in given)


def test_a_plan_is_kept_with_its_records(ledger: Ledger) -> None:
    """Numbers over the whole range, and nulls, come back as they were."""
    ledger.propose(PLAN, RECORDS)

    assert (PLAN, [PLAN], [], None) == (
        ledger.plan("p1"),
        ledger.plans(KEY),
        ledger.plans(OTHER),
        ledger.plan("p2"),
    )
    assert_frame_equal(RECORDS, ledger.planned("p1"))
    assert pl.Schema(PLANNED_COLUMNS) == ledger.planned("p2").schema


def test_a_newer_plan_replaces_the_open_ones_of_its_feed(ledger: Ledger) -> None:
    """What another feed holds, and what was approved, stays."""
    ledger.propose(replace(PLAN, id="theirs", key=OTHER), RECORDS)
    ledger.propose(replace(PLAN, id="approved"), RECORDS)
    decide(ledger, "approved", "approved")
    ledger.propose(PLAN, RECORDS)
    ledger.propose(replace(PLAN, id="p2", made=NIGHT + DAY), RECORDS.clear())

    assert {"theirs": "open", "approved": "approved", "p1": "replaced", "p2": "open"} == statuses(
        ledger
    )
    assert ["p2"] == [plan.id for plan in ledger.plans(KEY, status="open")]


def statuses(ledger: Ledger) -> dict[str, str]:
    """The status of every plan."""
    return {plan.id: plan.status for plan in ledger.plans()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("open", "open"),
        ("approved", "approved"),
        ("sent", "open"),
        ("discarded", "open"),
        ("expired", "open"),
        ("replaced", "open"),
    ],
)
def test_a_plan_that_is_made_again_is_open_again_unless_it_is_approved(
    ledger: Ledger, before: PlanStatus, after: str
) -> None:
    """An approval whose sending broke off stays one; its records, run and days are the new ones."""
    ledger.propose(PLAN, RECORDS)
    bring(ledger, before, PLAN)
    again = replace(PLAN, run="r2", made=NIGHT + 2 * DAY, expires=NIGHT + 9 * DAY, holds=())
    ledger.propose(again, RECORDS[:1])

    approved = replace(
        again, status="approved", decided=NIGHT + DAY, by="kim", note="kim has asked the school"
    )
    assert (approved if after == "approved" else again, 1) == (
        ledger.plan("p1"),
        ledger.planned("p1").height,
    )


def bring(ledger: Ledger, status: PlanStatus, plan: Plan) -> None:
    """Bring a plan into a status, the way it gets there."""
    if status == "replaced":
        ledger.propose(replace(plan, id=f"newer than {plan.id}"), RECORDS)
    elif status == "sent":
        decide(ledger, plan.id, "approved")
        decide(ledger, plan.id, "sent")
    elif status != "open":
        decide(ledger, plan.id, status)


ALLOWED = {"open": ["approved", "discarded", "expired"], "approved": ["sent"]}


@pytest.mark.parametrize("before", get_args(PlanStatus))
def test_a_plan_is_decided_once(ledger: Ledger, before: PlanStatus) -> None:
    """What is not open is not approved or discarded, and what is not approved is not sent; a refusal leaves no trace."""
    asked: list[PlanStatus] = ["approved", "discarded", "expired", "sent"]
    for into in asked:
        one = replace(PLAN, id=into, key=FeedKey("sandbox", into))
        ledger.propose(one, RECORDS)
        bring(ledger, before, one)
    made = {into: len(ledger.decisions(into)) for into in asked}
    right = [into for into in asked if decide(ledger, into, into, "lee")]

    allowed = ALLOWED.get(before, [])
    assert (allowed, allowed) == (
        right,
        [into for into in asked if len(ledger.decisions(into)) > made[into]],
    )
    assert {into: into if into in allowed else before for into in asked} == {
        name: status for name, status in statuses(ledger).items() if name in asked
    }


def test_who_decided_when_and_why_is_kept(ledger: Ledger) -> None:
    """Every decision stays, in its order, also when the plan is made anew."""
    ledger.propose(PLAN, RECORDS)
    decide(ledger, "p1", "discarded", "lee")
    ledger.propose(PLAN, RECORDS)
    decide(ledger, "p1", "approved")

    asked = "has asked the school"
    expected = [
        Decision("p1", NIGHT + DAY, "lee", "discarded", f"lee {asked}"),
        Decision("p1", NIGHT + DAY, "kim", "approved", f"kim {asked}"),
    ]
    assert expected == ledger.decisions("p1")
    assert replace(
        PLAN, status="approved", decided=NIGHT + DAY, by="kim", note=f"kim {asked}"
    ) == ledger.plan("p1")


def test_nobody_decides_on_a_plan_that_is_not_there(ledger: Ledger) -> None:
    """There is nothing to decide."""
    assert (False, []) == (decide(ledger, "p1", "approved"), ledger.decisions("p1"))


def test_of_two_who_decide_at_once_one_does(ledger: Ledger, place: Path | str) -> None:
    """The plan is approved or discarded, never both."""
    ledger.propose(PLAN, RECORDS)
    with Ledger(place) as second, ThreadPoolExecutor() as pool:
        turns: list[tuple[Ledger, PlanStatus]] = [(ledger, "approved"), (second, "discarded")] * 4
        right = list(pool.map(lambda turn: decide(turn[0], "p1", turn[1]), turns))

    assert (1, 1) == (sum(right), len(ledger.decisions("p1")))


def test_of_two_who_propose_at_once_one_plan_is_open(ledger: Ledger, place: Path | str) -> None:
    """The later one replaces the earlier one, whichever that is."""
    plans = [replace(PLAN, id=f"p{number}") for number in range(6)]
    with Ledger(place) as second, ThreadPoolExecutor() as pool:
        done = list(
            pool.map(
                lambda pair: pair[0].propose(pair[1], RECORDS),
                zip([ledger, second] * 3, plans, strict=True),
            )
        )

    assert (6, ["open", *["replaced"] * 5]) == (len(done), sorted(statuses(ledger).values()))


def test_an_absent_ledger_has_no_history(path: Path) -> None:
    """Reading one that is not there finds nothing, and makes nothing."""
    with Ledger.reading(path) as ledger:
        found = [
            ledger.runs(),
            ledger.plans(),
            ledger.decisions("p1"),
            ledger.feeds(),
            ledger.planned("p1").rows(),
        ]
        found += [
            ledger.schools_of(KEY, "users").rows(),
            ledger.totals(KEY).rows(),
            [*ledger.of_others(KEY, ["users"])],
        ]
        none = [ledger.run("r1"), ledger.plan("p1"), ledger.holder(KEY)]

    assert ([[]] * 8, [None] * 3, False) == (found, none, path.parent.exists())
