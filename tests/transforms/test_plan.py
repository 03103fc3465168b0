"""Plans: named by their content, sent only as they were agreed to."""

from __future__ import annotations

from datetime import date

import polars as pl

from transforms.changes import ACTION, FINGERPRINT, HELD, EntityChanges
from transforms.checks.references import LedgerFrames
from transforms.guard import (
    changed_since,
    changes_of_plan,
    fill_grades,
    held_records,
    plan_id,
    unsent_records,
)

TODAY = date(2026, 11, 24)
UPSERTS = {"sourcedId": pl.String, ACTION: pl.String, FINGERPRINT: pl.Int64}
KNOWN: LedgerFrames = {
    "users": pl.DataFrame(
        {"sourcedId": ["gone", "changed"], "fingerprint": [5, 6], "status": ["active", "active"]}
    )
}


def held(*rows: tuple[str, str, int | None]) -> dict[str, EntityChanges]:
    """Give changes of users that are held: id, action, fingerprint."""
    frame = pl.DataFrame([(*row, "s1", "vanished") for row in rows], schema=HELD, orient="row")
    return {"users": EntityChanges("users", pl.DataFrame(schema=UPSERTS), held=frame)}


PLAN = held_records(
    held(("gone", "disable", None), ("changed", "update", 7), ("new", "create", 8)), KNOWN
)


def ledger(**records: tuple[int, str]) -> LedgerFrames:
    """Give a ledger of users: fingerprint and status."""
    rows = [(one, *what) for one, what in records.items()]
    return {
        "users": pl.DataFrame(
            rows,
            schema={"sourcedId": pl.String, "fingerprint": pl.Int64, "status": pl.String},
            orient="row",
        )
    }


def test_a_plan_knows_what_the_ledger_said() -> None:
    """Of what it did not know, nothing."""
    assert [("gone", 5, "active"), ("changed", 6, "active"), ("new", None, None)] == PLAN.select(
        "sourcedId", "was", "was_status"
    ).rows()


def test_grades_come_from_the_roster_that_knows_them() -> None:
    """A user's own, and for an enrollment its user's; the first roster that has the record is asked."""
    users = pl.DataFrame({"sourcedId": ["gone"], "grades": ["07,08"]})
    enrollments = pl.DataFrame({"sourcedId": ["e"], "userSourcedId": ["gone"]})
    records = pl.concat(
        [PLAN, PLAN.head(1).with_columns(entity=pl.lit("enrollments"), sourcedId=pl.lit("e"))]
    )

    graded = fill_grades(records, [{}, {"users": users, "enrollments": enrollments}])

    assert ["07", None, None, "07"] == graded["grade"].to_list()


def test_a_roster_of_which_every_enrollment_was_refused_tells_no_grades() -> None:
    """It keeps no columns of them but the id."""
    users = pl.DataFrame({"sourcedId": ["gone"], "grades": ["07"]})
    nobody = pl.DataFrame(schema={"sourcedId": pl.String})

    assert ["07", None, None] == fill_grades(PLAN, [{"users": users, "enrollments": nobody}])[
        "grade"
    ].to_list()


def test_the_same_changes_are_the_same_plan() -> None:
    """In any order; another content, another record or another feed is another plan."""
    turned, other = PLAN.reverse(), PLAN.with_columns(pl.col("fingerprint") + 1)

    assert plan_id(PLAN, "feed") == plan_id(turned, "feed")
    assert 4 == len(
        {
            plan_id(PLAN, "feed"),
            plan_id(other, "feed"),
            plan_id(PLAN.head(2), "feed"),
            plan_id(PLAN, "2"),
        }
    )


def test_what_moved_is_named() -> None:
    """Another state in the ledger, or a record that somebody else has made meanwhile."""
    now = ledger(gone=(9, "active"), changed=(6, "active"), new=(1, "active"))

    assert [("users", "gone"), ("users", "new")] == changed_since(PLAN, now).rows()
    assert changed_since(PLAN, KNOWN).is_empty()


def test_what_was_sent_already_is_not_sent_again() -> None:
    """An approval that broke off goes on where it was."""
    now = ledger(gone=(5, "disabled"), changed=(7, "active"))

    assert (True, ["new"]) == (
        changed_since(PLAN, now).is_empty(),
        unsent_records(PLAN, now)["sourcedId"].to_list(),
    )


def test_only_what_was_agreed_to_is_sent() -> None:
    """Whatever else the archived roster would change by now."""
    upserts = pl.DataFrame(
        [("changed", "update", 7), ("new", "create", 8), ("other", "create", 9)],
        schema=UPSERTS,
        orient="row",
    )
    changes = changes_of_plan(PLAN, {"users": EntityChanges("users", upserts)}, TODAY)["users"]

    assert (["changed", "new"], ["gone"]) == (
        changes.upserts["sourcedId"].to_list(),
        changes.of("disable")["sourcedId"].to_list(),
    )
    assert (2, 1, 3) == (changes.counts["read"], changes.counts["vanished"], changes.due)
