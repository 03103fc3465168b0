"""Nights on which rows arrive and nothing of a kind can be delivered: they are never done, and say what mends them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rosters import Rows, delta, district, drop
from tests.running import roster

FEED = 'drop = "drop"\n[target]\nurl = "sandbox"\n[share]\ndemographics = true\ncontacts = true\n{tail}\n'


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A feed file."""
    path = tmp_path / "larkspur.toml"
    path.write_text(FEED.format(tail=""))
    return path


def wrong_sessions() -> Rows:
    """A district whose sessions all have a year that is none."""
    rows = district()
    return rows | {
        "academicSessions": [
            row | {"schoolYear": "twenty-seven"} for row in rows["academicSessions"]
        ]
    }


def test_a_first_load_without_any_class_is_not_done(feed: Path) -> None:
    """The sessions are at fault, and one sentence says so and what mends it; the rest is sent."""
    drop(feed.parent / "drop", wrong_sessions())
    state = feed.parent / "state"

    run = roster("sync", feed, "--json", state=state)
    status = roster("status", feed, "--json", state=state)

    assert (3, "held", None) == (run.code, run.json["status"], run.json["plan"])
    told = " ".join(run.err.split())
    assert "academicSessions were rejected, and with them" in told
    assert (
        "academicSessions.csv, column schoolYear, 2 rows: a value is not a year. Write years as YYYY."
        in told
    )
    assert (3, ["academicSessions"]) == (status.code, status.json["feeds"][0]["undelivered"])


def test_status_says_it_in_words(feed: Path) -> None:
    """Whoever looks in the morning sees that it was no good night."""
    drop(feed.parent / "drop", wrong_sessions())
    roster("sync", feed, state=feed.parent / "state")

    status = roster("status", feed, state=feed.parent / "state")

    assert 3 == status.code
    assert "Held: too few of these could be delivered: academicSessions." in " ".join(
        status.out.split()
    )


def test_a_delta_all_of_whose_rows_are_rejected_is_not_done(feed: Path) -> None:
    """It does not come again, and so everything in it would be lost; a good night ends it."""
    drop(feed.parent / "drop", district())
    state = feed.parent / "state"
    roster("sync", feed, state=state)
    rows = delta({"users": [row | {"enabledUser": "Active"} for row in district()["users"]]})
    drop(feed.parent / "drop", rows, "delta")

    bad = roster("sync", feed, "--json", state=state)
    drop(feed.parent / "drop", district())
    good = roster("sync", feed, "--json", state=state)

    assert (3, 0, "held") == (bad.code, bad.json["requests"], bad.json["status"])
    assert (0, 0) == (good.code, roster("status", feed, state=state).code)


def test_a_snapshot_all_of_whose_people_are_rejected_is_not_done(feed: Path) -> None:
    """Nobody vanishes by it, and no message says that all is well."""
    drop(feed.parent / "drop", district())
    state = feed.parent / "state"
    roster("sync", feed, state=state)
    rows = district()
    drop(
        feed.parent / "drop",
        rows | {"users": [row | {"enabledUser": "Active"} for row in rows["users"]]},
    )

    run = roster("sync", feed, "--json", state=state)

    assert (3, 0, 0) == (run.code, run.json["requests"], run.total("disabled"))


def test_a_snapshot_half_of_whose_people_are_rejected_is_not_done_though_nothing_is_left_to_hold(
    feed: Path,
) -> None:
    """Who was not rejected is as before: no change can wait, and yet the night is not good."""
    drop(feed.parent / "drop", district())
    state = feed.parent / "state"
    roster("sync", feed, state=state)
    rows = district()
    wrong = [
        row if row["sourcedId"] in ("ana", "bo") else row | {"enabledUser": "Active"}
        for row in rows["users"]
    ]
    drop(feed.parent / "drop", rows | {"users": wrong})

    run = roster("sync", feed, "--json", state=state)
    status = roster("status", feed, "--json", state=state)

    assert (3, "held", 0) == (run.code, run.json["status"], run.json["requests"])
    assert "rows were rejected because of errors in those rows, more than 20 %." in " ".join(
        run.err.split()
    )
    assert (3, ["users"]) == (status.code, status.json["feeds"][0]["undelivered"])


def test_a_snapshot_half_of_which_is_missing_is_not_done_though_nobody_counts_as_vanished(
    feed: Path,
) -> None:
    """One id is damaged, so no enrollment is removed; but half of them did not come."""
    rows = district()
    rows["enrollments"] += [
        {**rows["enrollments"][1], "sourcedId": f"more{number}", "beginDate": f"2026-08-{number}"}
        for number in range(10, 30)
    ]
    rows["enrollments"] += [
        {**row, "sourcedId": f"again-{row['sourcedId']}", "userSourcedId": "ana"}
        for row in rows["enrollments"][3:]
    ]
    drop(feed.parent / "drop", rows)
    state = feed.parent / "state"
    first = roster("sync", feed, state=state)
    damaged = {**rows["enrollments"][0], "sourcedId": ""}
    drop(feed.parent / "drop", rows | {"enrollments": [damaged, *rows["enrollments"][:10]]})

    bad = roster("sync", feed, "--json", state=state)
    status = roster("status", feed, "--json", state=state)
    drop(feed.parent / "drop", rows)
    good = roster("sync", feed, "--json", state=state)

    assert (0, 3, 0) == (first.code, bad.code, bad.json["requests"])
    assert "33 of 43 enrollments are missing" in " ".join(bad.err.split())
    assert (3, ["enrollments"]) == (status.code, status.json["feeds"][0]["undelivered"])
    assert (0, 0) == (good.code, good.json["requests"])


def test_a_preflight_says_so_before_the_first_night(feed: Path) -> None:
    """With the cause, and as what stands in the way."""
    drop(feed.parent / "drop", wrong_sessions())

    found = roster("preflight", feed, "--json", state=feed.parent / "state")

    (check,) = [one for one in found.json["checks"] if one["name"] == "drop"]
    assert (4, "not ok") == (found.code, check["standing"])
    assert "most cannot be delivered" in check["says"]


def test_a_feed_may_take_any_number_of_rejected_rows(feed: Path) -> None:
    """If its file says so."""
    drop(feed.parent / "drop", wrong_sessions())
    feed.write_text(FEED.format(tail="[limits]\nrejected_percent = 100\n"))

    assert 0 == roster("sync", feed, state=feed.parent / "state").code


def test_a_plan_says_how_near_the_limits_are(feed: Path) -> None:
    """Before anything is sent."""
    drop(feed.parent / "drop", district())
    roster("sync", feed, state=feed.parent / "state")
    drop(
        feed.parent / "drop",
        district()
        | {
            "users": [
                row | {"familyName": "Quist"} if row["sourcedId"] == "ana" else row
                for row in district()["users"]
            ]
        },
    )

    plan = roster("plan", feed, state=feed.parent / "state")

    assert 0 == plan.code
    assert "  - students with another identity: 1 of 10 allowed (2 in all)" in plan.out.splitlines()
