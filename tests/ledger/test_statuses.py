"""What became of a record: each status, who sees it, and ledgers of the release that knew two of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.ledger import FeedKey, Ledger
from transforms.changes import (
    ACTIVE,
    DELETED,
    DISABLED,
    ENDED,
    ENDS,
    FIELDS,
    FINGERPRINT,
    KEPT,
    LABEL,
    PARENTS,
    SCHOOL,
)

KEY = FeedKey("sandbox", "larkspur-valley")
OTHER = FeedKey("sandbox", "other")


def rows(*ids: str, school: str | None = "s1") -> pl.DataFrame:
    """Acknowledged records."""
    texts = {PARENTS: None, LABEL: None, FIELDS: "abc", SCHOOL: school, ENDS: "2027-06-10"}
    return pl.DataFrame({"sourcedId": ids, FINGERPRINT: range(1, len(ids) + 1)}).with_columns(
        pl.lit(value, pl.String).alias(name) for name, value in texts.items()
    )


def settle(ledger: Ledger, key: FeedKey = KEY) -> None:
    """Have one record in each status."""
    ledger.record(
        key, "users", rows("active", "deleted", "disabled", "ended", "kept"), {}, [], "r1"
    )
    ledger.record(
        key,
        "users",
        rows()[:0],
        {DELETED: ["deleted"], DISABLED: ["disabled"], ENDED: ["ended"]},
        [],
        "r2",
    )
    ledger.mark(key, "users", KEPT, ["kept"], "r3")


def test_each_record_has_its_status_and_the_run_that_gave_it(ledger: Ledger) -> None:
    """What was done with a record is distinguished from what was only decided about it."""
    settle(ledger)

    found = ledger.details(KEY, "users").select("sourcedId", "status", "run").rows()
    runs = {ACTIVE: "r1", DELETED: "r2", DISABLED: "r2", ENDED: "r2", KEPT: "r3"}
    assert [(status, status, run) for status, run in sorted(runs.items())] == found


def test_what_comes_back_unchanged_is_marked_active(ledger: Ledger) -> None:
    """No answer of the target is needed: it has the record as it was."""
    settle(ledger)
    ledger.mark(KEY, "users", ACTIVE, ["kept", "nobody"], "r4")

    assert ["active", "kept"] == ledger.known(KEY)["users"].filter(status=ACTIVE)[
        "sourcedId"
    ].to_list()


def test_the_last_day_of_a_record_is_kept(ledger: Ledger) -> None:
    """Whoever says none has none."""
    ledger.record(KEY, "users", rows("u"), {}, [], "r1")
    ledger.record(KEY, "users", rows("v").drop(ENDS), {}, [], "r1")

    assert [("u", "2027-06-10"), ("v", None)] == ledger.details(KEY, "users").select(
        "sourcedId", "ends"
    ).rows()


def test_others_hold_what_they_have_in_the_target(ledger: Ledger) -> None:
    """Kept, disabled and ended records are there; deleted ones are not."""
    settle(ledger, OTHER)

    assert {"users": ["active", "disabled", "ended", "kept"]} == {
        name: ids.to_list() for name, ids in ledger.of_others(KEY, ["users", "orgs"]).items()
    }
    assert {} == ledger.of_others(OTHER, ["users"])


def test_schools_are_those_of_all_feeds_and_of_what_is_there(ledger: Ledger) -> None:
    """Of both feeds, without what was deleted."""
    settle(ledger)
    ledger.record(OTHER, "users", rows("theirs", school="s2"), {}, [], "r1")

    found = dict(ledger.schools_of(KEY, "users").rows())
    assert {"active": "s1", "disabled": "s1", "ended": "s1", "kept": "s1", "theirs": "s2"} == found


def test_totals_count_active_records_by_school(ledger: Ledger) -> None:
    """What is already kept, disabled, ended or deleted cannot vanish any more."""
    settle(ledger)
    ledger.record(KEY, "orgs", rows("o", "p", school=None), {}, [], "r1")

    assert {("users", "s1", 1), ("orgs", None, 2)} == set(ledger.totals(KEY).rows())


@pytest.mark.parametrize("opened", [Ledger, Ledger.reading])
def test_a_ledger_of_the_first_release_goes_on(path: Path, opened: type[Ledger]) -> None:
    """It gets what it lacks, also from whoever only reads, and keeps what it holds: nothing is sent again for it."""
    with Ledger(path) as ledger:
        ledger.record(KEY, "users", rows("u", "v").drop(ENDS), {}, [], "r1")
        ledger.intend(KEY, "users", rows("w"), "r2")
        before = (ledger.details(KEY, "users"), ledger.intended(KEY))
    make_first_release(path)
    with opened(path) as ledger:
        after = (ledger.details(KEY, "users"), ledger.intended(KEY))
        runs = ledger.runs(KEY)

    assert_frame_equal(before[0], after[0])
    assert (before[1], []) == (after[1], runs)


def make_first_release(path: Path) -> None:
    """Take away what the first release did not have."""
    with sqlite3.connect(path) as connection:
        for table in ("locks", "decisions", "planned", "plans", "runs", "renamed", "salts"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("ALTER TABLE records DROP COLUMN ends")
        connection.execute("UPDATE ledger SET version = 1")
    connection.close()
