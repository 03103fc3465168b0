"""A night that delivers nothing of a kind that every roster needs is never done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from tests.guarding import changed, rules
from transforms.guard import GuardContext, GuardLimits, Rejections, guard
from transforms.guard.context import TOTALS
from transforms.guard.guard import GuardResult


def judged(
    counts: dict[str, tuple[int, int]], limits: GuardLimits | None = None, **past: Any
) -> GuardResult:
    """Let the guard judge a drop of which so many records were read and rejected, by entity."""
    changes = {}
    for name, (read, rejected) in counts.items():
        part = changed(name, [], [])
        changes[name] = replace(
            part, counts={"read": read, "rejected": rejected, "unchanged": read - rejected}
        )
    return guard(changes, GuardContext(**past), limits or GuardLimits())


@pytest.mark.parametrize(("rejected", "told"), [(5, False), (6, True), (10, True)])
def test_hardly_any_is_told(rejected: int, told: bool) -> None:
    """Up to half may be rejected; how bad that is, other limits say."""
    guarded = judged({"users": (10, rejected)})

    assert (["undelivered"] * told, 0) == (rules(guarded), guarded.held)


def test_one_cause_is_one_reason() -> None:
    """Classes and enrollments fell with their sessions, and what mends the sessions mends all."""
    rejections = {
        "academicSessions": Rejections(
            "sessions.csv", 3, 3, "sessions.csv, column schoolYear, 3 rows: no year", "Write 2027."
        ),
        "classes": Rejections("classes.csv", 4, 0),
    }

    guarded = judged(
        {"academicSessions": (3, 3), "classes": (4, 4), "enrollments": (9, 9), "users": (9, 0)},
        rejections=rejections,
    )

    (hold,) = guarded.holds
    assert (
        "3 of 3 academicSessions were rejected, and with them 4 of 4 classes, 9 of 9 enrollments: most cannot be delivered. "
        "sessions.csv, column schoolYear, 3 rows: no year. Write 2027."
    ) == hold.sentence


def test_two_causes_are_two_reasons() -> None:
    """Each with its own way out; what nobody is at fault for is reported separately."""
    rejections = {name: Rejections(f"{name}.csv", 3, 3) for name in ("orgs", "users")}

    assert ["orgs", "users"] == [
        hold.entity
        for hold in judged({"orgs": (3, 3), "users": (3, 3)}, rejections=rejections).holds
    ]
    assert ["4 of 4 classes were rejected: most cannot be delivered."] == [
        hold.sentence for hold in judged({"classes": (4, 4)}).holds
    ]


def test_other_kinds_count_if_they_were_loaded_before() -> None:
    """A first gradebook may be wrong altogether; one that was there may not."""
    there = pl.DataFrame([("results", "s1", 5)], schema=TOTALS, orient="row")

    assert ([], ["undelivered"]) == (
        rules(judged({"results": (5, 5)})),
        rules(judged({"results": (5, 5)}, totals=there)),
    )


def test_a_feed_may_take_any_rejects() -> None:
    """By its limit on them; and what brings no rows delivers none."""
    assert [] == rules(judged({"users": (10, 10)}, GuardLimits(rejected_percent=100)))
    assert [] == rules(judged({"users": (0, 0)}))


def test_rows_count_where_all_say_one_damaged_id() -> None:
    """Ids in powers of ten make one record of hundreds of rows."""
    guarded = judged({"users": (2, 1)}, rejections={"users": Rejections("users.csv", 300, 299)})

    assert ["undelivered"] == rules(guarded)


def test_the_cause_may_lie_in_what_they_need() -> None:
    """Enrollments fall with their people, most of whom have no address."""
    rejections = {
        "users": Rejections(
            "users.csv", 9, 4, "users.csv, column email, 4 rows: no address", "Set email_template."
        ),
        "enrollments": Rejections(
            "enrollments.csv", 10, 1, "enrollments.csv, column role, 1 row: no role", "Say one."
        ),
    }

    guarded = judged(
        {"users": (9, 4), "classes": (4, 1), "enrollments": (10, 10)}, rejections=rejections
    )

    (hold,) = guarded.holds
    assert (
        "10 of 10 enrollments were rejected: most cannot be delivered. So were 4 of 9 users, which they need. "
        "users.csv, column email, 4 rows: no address. Set email_template."
    ) == hold.sentence


@pytest.mark.parametrize(("missing", "told"), [(25, False), (26, True)])
def test_missing_records_that_are_in_doubt_are_told_like_vanished_ones(
    missing: int, told: bool
) -> None:
    """None of them is removed, since rows that could not be read may be about them."""
    totals = pl.DataFrame([("enrollments", "s1", 200)], schema=TOTALS, orient="row")
    rejections = {
        "enrollments": Rejections(
            "enrollments.csv",
            145,
            5,
            "enrollments.csv, column sourcedId, 5 rows: no id",
            "Export ids as text.",
        )
    }
    part = replace(changed("enrollments", [], []), doubtful=missing)

    guarded = guard(
        {"enrollments": part}, GuardContext(totals=totals, rejections=rejections), GuardLimits()
    )

    assert ["undelivered"] * told == rules(guarded)
    assert [
        (
            "26 of 200 enrollments are missing, more than 10 % and 25 records. None of them is "
            "removed, because the export also has rows that could not be read, which may be about "
            "them. enrollments.csv, column sourcedId, 5 rows: no id. Export ids as text."
        )
    ] * told == [hold.sentence for hold in guarded.holds]
