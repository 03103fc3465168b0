"""A run is killed before anything arrives, and what its records refer to is in no later export."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from flows.result import DONE
from tests.chaos.feed import ACCEPTED, Deadly, Feed, Killed
from tests.rosters import changed, district, drop

STILL_COMING = ("orgs", "academicSessions", "users", "roles")


def killed_at_first(feed: Feed) -> None:
    """Accept a course of a school year, and a seat of a student, that no later export has."""
    rows = changed(district(), "co", schoolYearSourcedId="y9")
    rows["academicSessions"].append(rows["academicSessions"][0] | {"sourcedId": "y9"})
    rows["users"].append(rows["users"][0] | {"sourcedId": "zed", "username": "zed"})
    rows["roles"].append(rows["roles"][0] | {"sourcedId": "r5", "userSourcedId": "zed"})
    rows["enrollments"].append(rows["enrollments"][0] | {"sourcedId": "e9", "userSourcedId": "zed"})
    drop(feed.drop, rows)
    with pytest.raises(Killed):
        feed.sync(watch=Deadly(ACCEPTED))


def test_a_record_of_an_earlier_export_goes_without_what_is_gone(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The course arrives without its school year, the seat does not, and the run says so once."""
    feed = Feed(tmp_path, sandbox)
    limit = feed.file.read_text().replace("created_records = 1", "created_records = 99")
    feed.file.write_text(limit)
    killed_at_first(feed)
    drop(feed.drop, {name: rows for name, rows in district().items() if name in STILL_COMING})

    done, again = feed.sync(), feed.sync()

    assert (DONE, DONE) == (done.exit_code, again.exit_code), done.troubles
    assert 2 == {one.rule: one.count for one in done.findings.notices}["reference_gone"]
    assert "schoolYear" not in (sandbox.store.get("courses", "co") or {"schoolYear": ""})
    assert ["e1", "e2", "e3"] == sorted(sandbox.store.ids("enrollments"))
    assert 0 == again.requests


def test_a_drop_may_refer_to_what_an_earlier_export_still_has_to_send(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The run that had the term was killed, and the next export has no file of terms: its classes arrive that night, with the term."""
    feed = Feed(tmp_path, sandbox)
    drop(feed.drop, district())
    with pytest.raises(Killed):
        feed.sync(watch=Deadly(ACCEPTED))
    drop(feed.drop, {name: rows for name, rows in district().items() if name != "academicSessions"})

    done, again = feed.sync(), feed.sync()

    assert (DONE, 0) == (done.exit_code, done.findings.errors.height), done.troubles
    assert sorted(row["sourcedId"] for row in district()["classes"]) == sorted(
        sandbox.store.ids("classes")
    )
    assert 0 == again.requests
