"""What the guard lets through, what it holds, and the sentence that it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from transforms.changes import (
    ACTION,
    FINGERPRINT,
    PARENTS,
    SCHOOL,
    Changes,
    EntityChanges,
    imbalance,
)
from transforms.guard import GuardContext, GuardLimits, GuardResult, Rejections, guard
from transforms.guard.context import CHILDREN, TOTALS

Ids = Sequence[str]
TODAY = date(2026, 11, 24)


def part(
    entity: str,
    *,
    gone: Ids = (),
    new: Ids = (),
    changed: Ids = (),
    same: int = 0,
    policy: str = "delete",
    school: str = "s1",
    parents: str = "",
) -> EntityChanges:
    """Give the changes of one entity, all in one school."""
    actions = ["create"] * len(new) + ["update"] * len(changed)
    upserts = pl.DataFrame(
        {
            "sourcedId": [*new, *changed],
            ACTION: actions,
            FINGERPRINT: [1] * len(actions),
            SCHOOL: [school] * len(actions),
            PARENTS: [parents] * len(actions),
        },
        schema={
            "sourcedId": pl.String,
            ACTION: pl.String,
            FINGERPRINT: pl.Int64,
            SCHOOL: pl.String,
            PARENTS: pl.String,
        },
    )
    removals = pl.DataFrame(
        {"sourcedId": list(gone), ACTION: [policy] * len(gone), SCHOOL: [school] * len(gone)},
        schema={"sourcedId": pl.String, ACTION: pl.String, SCHOOL: pl.String},
    )
    read = len(new) + len(changed) + same
    return EntityChanges(
        entity, upserts, removals, counts={"read": read, "unchanged": same, "vanished": len(gone)}
    )


def ids(prefix: str, count: int) -> list[str]:
    """Give that many ids."""
    return [f"{prefix}{number}" for number in range(count)]


def totals(**records: int) -> pl.DataFrame:
    """What the ledger holds of each entity, half of it in school s1 and half in s2."""
    rows = [
        (name, school, count // 2) for name, count in records.items() for school in ("s1", "s2")
    ]
    return pl.DataFrame(rows, schema=TOTALS, orient="row")


def judged(
    *parts: EntityChanges,
    limits: GuardLimits | None = None,
    raised: GuardLimits | None = None,
    **past: Any,
) -> GuardResult:
    """Let the guard judge changes."""
    changes: Changes = {one.entity: one for one in parts}
    guarded = guard(changes, GuardContext(**past), limits or GuardLimits(), raised)
    for name, one in guarded.changes.items():
        assert imbalance(one.counts) == one.due, name
    return guarded


def held(guarded: GuardResult) -> dict[str, list[str]]:
    """The ids that wait, by entity."""
    return {
        name: sorted(one.held["sourcedId"])
        for name, one in guarded.changes.items()
        if one.held.height
    }


def rules(guarded: GuardResult) -> list[str]:
    """The reasons."""
    return [hold.rule for hold in guarded.holds]


@pytest.mark.parametrize(
    ("gone", "there", "waits"),
    [(25, 100, False), (26, 100, True), (100, 1000, False), (101, 1000, True)],
)
def test_the_larger_of_ten_percent_and_25_records_may_vanish(
    gone: int, there: int, waits: bool
) -> None:
    """Of each entity, if no school loses more than 30 %."""
    guarded = judged(
        part("enrollments", gone=ids("e", gone), same=1),
        totals=totals(enrollments=there * 2, classes=0),
        limits=GuardLimits(vanished_percent=5, school_percent=100),
    )

    assert (gone if waits else 0) == guarded.held


def test_all_together_may_not_lose_more_either() -> None:
    """A little of each is too much in sum."""
    parts = [
        part(name, gone=ids(name, 20), same=1) for name in ("enrollments", "classes", "results")
    ]

    guarded = judged(
        *parts,
        totals=totals(enrollments=120, classes=120, results=120),
        limits=GuardLimits(school_percent=100),
    )

    assert (60, {"vanished"}) == (guarded.held, set(rules(guarded)))
    assert (
        "60 of all 360 records vanished, more than 10 % and 25 records."
        == guarded.holds[0].sentence
    )


def test_no_school_loses_more_than_30_percent() -> None:
    """However small it is; the others go on."""
    small = part("enrollments", gone=ids("e", 4), same=10, school="s1")
    there = pl.DataFrame(
        [("enrollments", "s1", 12), ("enrollments", "s2", 900)], schema=TOTALS, orient="row"
    )

    guarded = judged(small, totals=there, names={"orgs:s1": "Elm"})

    assert ["Elm (s1): 4 of 12 enrollments vanished, more than 30 % of a school."] == [
        hold.sentence for hold in guarded.holds
    ]
    assert (4, "s1") == (guarded.held, guarded.holds[0].school)


@pytest.mark.parametrize("policy", ["keep", "disable", "delete"])
def test_limits_do_not_ask_what_the_policy_makes_of_it(policy: str) -> None:
    """Half of all users gone is strange, also if they are only disabled or stay."""
    guarded = judged(
        part("users", gone=ids("u", 50), same=50, policy=policy), totals=totals(users=100)
    )

    assert 50 == guarded.held


def test_what_ended_by_itself_does_not_count() -> None:
    """Classes of last term are kept, and nobody is asked."""
    guarded = judged(
        part("classes", gone=ids("c", 90), same=10, policy="stay"), totals=totals(classes=100)
    )

    assert (0, 90) == (guarded.held, guarded.changes["classes"].counts["kept"])


@pytest.mark.parametrize(
    ("week", "waits"), [({"enrollments": 40}, True), ({"enrollments": 30}, False), (None, True)]
)
def test_seven_days_are_limited_too(week: Mapping[str, int] | None, waits: bool) -> None:
    """So that a little each night is not let through; what is not known trips."""
    guarded = judged(
        part("enrollments", gone=ids("e", 15), same=60),
        totals=totals(enrollments=150),
        week=week,
        limits=GuardLimits(school_percent=100),
    )

    assert (["vanished_in_week"] * waits, 15 * waits) == (rules(guarded)[:1], guarded.held)


@pytest.mark.parametrize(("changed", "waits"), [(75, False), (76, True), (25, False)])
def test_three_quarters_may_be_updated(changed: int, waits: bool) -> None:
    """Creates go on meanwhile."""
    users = part("users", changed=ids("u", changed), new=["n"], same=100 - changed)

    guarded = judged(users, totals=totals(users=100))

    assert (changed * waits, ["n"]) == (
        guarded.held,
        guarded.changes["users"].upserts.filter(pl.col(ACTION) == "create")["sourcedId"].to_list(),
    )


@pytest.mark.parametrize(
    ("faults", "there", "waits"), [(20, 100, False), (21, 100, True), (90, 0, False)]
)
def test_a_file_with_too_many_bad_rows_waits_altogether(
    faults: int, there: int, waits: bool
) -> None:
    """All its changes, new records too; a first load has nothing to protect."""
    enrollments = part("enrollments", new=["n"], changed=["c"], same=79)

    guarded = judged(
        enrollments,
        part("users", new=["u"], same=9),
        totals=totals(enrollments=there, users=10),
        rejections={"enrollments": Rejections("enrollments.csv", 100, faults)},
    )

    assert ({"enrollments": ["c", "n"]} if waits else {}) == held(guarded)


def test_the_first_load_passes() -> None:
    """There is nothing to lose."""
    assert (0, ()) == (
        judged(part("users", new=ids("u", 500))).held,
        judged(part("users", new=["u"])).holds,
    )


def test_a_limit_is_raised_once() -> None:
    """It says that it was needed; where it was not, it stays unused."""
    gone, few = part("classes", gone=ids("c", 40), same=60), part("classes", gone=["c1"], same=99)
    wide = GuardLimits(vanished_percent=50, week_percent=50, school_percent=100)

    assert (0, True) == (
        (used := judged(gone, raised=wide, totals=totals(classes=100))).held,
        used.raised,
    )
    assert (0, False) == (
        (unused := judged(few, raised=wide, totals=totals(classes=100))).held,
        unused.raised,
    )


def test_limits_of_single_entities() -> None:
    """A feed may know its own enrollments better."""
    gone = part("results", gone=ids("e", 60), same=60)
    limits = GuardLimits(vanished_percent=60, entities={"results": 20}, school_percent=100)

    assert ["vanished"] == rules(judged(gone, limits=limits, totals=totals(results=120)))


def test_an_emptied_file_is_held() -> None:
    """Rows last time, none now."""
    guarded = judged(
        replace(part("resources", gone=["r1"]), emptied=True),
        totals=totals(resources=2),
        limits=GuardLimits(school_percent=100),
    )

    assert (["emptied"], {"resources": ["r1"]}) == (rules(guarded), held(guarded))
    assert "1 of" not in guarded.holds[0].sentence


def test_other_ids_for_everybody_are_held() -> None:
    """Neither are the old ones taken away nor the new ones made."""
    guarded = judged(
        part("users", gone=["u1", "u2"], new=["x1", "x2"], policy="disable"), totals=totals(users=4)
    )

    assert ("rekeyed", {"users": ["u1", "u2", "x1", "x2"]}) == (rules(guarded)[0], held(guarded))
    assert "ids.csv" in guarded.holds[0].sentence


def test_lost_zeros_are_held() -> None:
    """Only the ids that they concern."""
    users = part("users", gone=["007", "gone"], new=["7", "new"], same=100, policy="disable")

    guarded = judged(users, totals=totals(users=1000))

    assert ({"users": ["007", "7"]}, ["id_width"]) == (held(guarded), rules(guarded))


def test_a_school_that_is_missing_is_held_with_all_that_is_its() -> None:
    """Whether its row is gone, or everything that belongs to it."""
    there = pl.DataFrame(
        [("orgs", "s1", 1), ("classes", "s1", 2), ("classes", "s2", 500)],
        schema=TOTALS,
        orient="row",
    )
    classes = part("classes", gone=["c1", "c2"], same=500)

    with_row = judged(part("orgs", gone=["s1"], same=2, policy="keep"), classes, totals=there)
    without_records = judged(classes, totals=there)

    assert {"orgs": ["s1"], "classes": ["c1", "c2"]} == held(with_row)
    assert "School s1 has no record left in the drop" in without_records.holds[0].sentence


def test_an_older_drop_waits_altogether() -> None:
    """The older truth must not be laid over the newer unseen."""
    users = part("users", new=["n"], changed=["c"], same=9)

    guarded = judged(
        users, totals=totals(users=10), dated=date(2026, 11, 22), newest=date(2026, 11, 23)
    )

    assert (["older_drop"], 2) == (rules(guarded), guarded.held)
    assert (
        0
        == judged(
            users, totals=totals(users=10), dated=date(2026, 11, 23), newest=date(2026, 11, 23)
        ).held
    )


def test_a_drop_that_repeats_an_old_one_waits_altogether() -> None:
    """Last month's export has no date in its name, and is known by its content."""
    guarded = judged(
        part("users", changed=["u1"], same=9), totals=totals(users=10), twin=date(2026, 10, 2)
    )

    assert (["older_drop"], 1) == (rules(guarded), guarded.held)
    assert guarded.holds[0].sentence.startswith(
        "This drop is, to the last cell, the one of 2026-10-02, and others were loaded since."
    )


def test_a_target_that_holds_our_ids_already_is_asked_about() -> None:
    """An empty ledger before a full target: somebody lost their state, or the target is another district's."""
    guarded = judged(part("users", new=["n"]), strangers=3)

    assert (["not_ours_yet"], 1) == (rules(guarded), guarded.held)
    assert "adopt" in guarded.holds[0].sentence


def test_nothing_is_sent_in_a_blackout() -> None:
    """Neither new records."""
    assert ["blackout"] == rules(judged(part("users", new=["n"]), blackout=date(2027, 1, 4)))


def test_adds_only_lets_new_records_through_and_asks_nobody() -> None:
    """Updates wait, and what vanished stays until it is over."""
    users = part("users", new=["n"], changed=["c"], gone=ids("g", 900), policy="disable")

    guarded = judged(users, adds_only=date(2027, 8, 1), totals=totals(users=1000))

    assert (0, 1, 900) == (
        guarded.held,
        guarded.changes["users"].counts["waiting"],
        guarded.changes["users"].counts["kept"],
    )
    assert ["n"] == guarded.changes["users"].upserts["sourcedId"].to_list()


def test_nothing_is_deleted_under_its_children() -> None:
    """A class whose enrollment stays, for whatever reason, stays with it; once the enrollment goes, so does the class."""
    children = pl.DataFrame([("enrollments", "e1", "classes", "c1")], schema=CHILDREN, orient="row")
    classes = part("classes", gone=["c1", "c2"], same=100)
    past: dict[str, Any] = {"totals": totals(classes=1000, enrollments=1000), "children": children}

    stays = judged(classes, part("enrollments", same=1), **past)
    goes = judged(classes, part("enrollments", gone=["e1"], same=1), **past)
    moves = judged(
        classes, part("enrollments", changed=["e1"], parents="classes:c9 users:u"), **past
    )

    assert ({"classes": ["c1"]}, {}, {}) == (held(stays), held(goes), held(moves))
    assert (
        "classes: 1 record is still named by 1 that stays (enrollments:e1)."
        == stays.holds[0].sentence
    )


def test_demographics_wait_with_their_user() -> None:
    """They are deleted with them, or not at all."""
    users = part("users", gone=ids("u", 60), same=60)

    guarded = judged(
        users,
        part("demographics", gone=["u1"], same=1),
        totals=totals(users=120, demographics=1000),
    )

    assert ["u1"] == held(guarded)["demographics"]


def test_what_is_held_keeps_its_action_and_school() -> None:
    """For the plan."""
    one = judged(
        part("users", gone=["u"], changed=["c"], policy="disable"), blackout=TODAY
    ).changes["users"]

    assert [
        ("c", "update", "s1", "blackout"),
        ("u", "disable", "s1", "blackout"),
    ] == one.held.select("sourcedId", ACTION, SCHOOL, "#hold").rows()
    assert replace(one).due == 0
