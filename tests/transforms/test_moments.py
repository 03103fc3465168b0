"""When the rows of deltas were changed: an older one does not go over a newer one."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from connectors.drops import read
from tests.judging import TODAY
from tests.rosters import DISTRICT, Rows, delta, district, drop
from transforms.checks import Checked, check
from transforms.layouts.options import ReadingOptions
from transforms.moments import MOMENT, OWNER, TIMESTAMP_COLUMNS, Timestamps, accepted_timestamps
from transforms.roster import Roster
from transforms.sources import normalize

KNOWN = {
    name: pl.DataFrame(
        {"sourcedId": ids, "fingerprint": [0] * len(ids), "status": ["active"] * len(ids)}
    )
    for name, ids in {"orgs": ["d", "s1", "s2"], "users": ["ana", "bo", "tia", "mum"]}.items()
}
NOON = 1_788_609_600_000_000  # 2026-09-05T12:00:00Z


def bo(moment: str, status: str = "active", of_role: str = "") -> Rows:
    """Give a delta with Bo and his role, as of a moment."""
    lifecycle = {"status": status, "dateLastModified": moment}
    role = DISTRICT["roles"][1] | lifecycle | ({"dateLastModified": of_role} if of_role else {})
    return {"users": [DISTRICT["users"][1] | lifecycle], "roles": [role]}


def roster(folder: Path, rows: Rows, mode: str = "delta") -> Roster:
    """Read rows as a roster."""
    return normalize("oneroster", read(drop(folder, rows, mode)), ReadingOptions(TODAY))


def newest(**moments: int) -> Timestamps:
    """Say how new what was accepted of Bo is, in some entities."""
    return {
        name: pl.DataFrame(
            [("r2" if name == "roles" else "bo", one, None)], schema=TIMESTAMP_COLUMNS, orient="row"
        )
        for name, one in moments.items()
    }


def judged(folder: Path, rows: Rows, before: Timestamps, mode: str = "delta") -> Checked:
    """Check rows, when something newer may have been accepted before."""
    return check(roster(folder, rows, mode), KNOWN, moments=before)


def rules(checked: Checked) -> set[tuple[str, str]]:
    """What was refused by which rule."""
    return {
        (entity, rule)
        for entity, rule in checked.findings.errors.select("entity", "rule").iter_rows()
    }


OLDER = {("users", "outdated")}


@pytest.mark.parametrize(
    ("moment", "refused"),
    [
        ("2026-09-05T11:59:59.999Z", OLDER),
        ("2026-09-05T13:59:00+02:00", OLDER),
        ("2026-09-05T12:00:00.000Z", set()),
        ("2026-09-05T08:00:00-04:00", set()),
        ("2026-09-05T12:00:00.001Z", set()),
    ],
)
def test_an_older_row_is_refused(
    tmp_path: Path, moment: str, refused: set[tuple[str, str]]
) -> None:
    """Moments are compared, however they are written; one that is equal is no older one."""
    assert refused == rules(judged(tmp_path, bo(moment), newest(users=NOON)))


def test_who_was_deleted_by_an_older_row_is_not_gone(tmp_path: Path) -> None:
    """Nor does anything follow that belongs to the record."""
    checked = judged(tmp_path, bo("2026-09-05T11:00:00Z", "tobedeleted"), newest(users=NOON))

    assert ("users", "outdated") in rules(checked)
    assert ([], ["bo"]) == (
        list(checked.standing["users"].gone),
        list(checked.standing["users"].refused["sourcedId"]),
    )


def test_an_older_part_stays_as_it_was(tmp_path: Path) -> None:
    """A role that was another by then is not put back; the record itself is as new as it says."""
    checked = judged(
        tmp_path, bo("2026-09-05T13:00:00Z", of_role="2026-09-05T11:00:00Z"), newest(roles=NOON)
    )

    assert ({("roles", "outdated")}, ["bo"]) == (
        rules(checked),
        list(checked.standing["users"].accepted["sourcedId"]),
    )


def test_who_names_a_record_whose_row_is_older_goes_through(tmp_path: Path) -> None:
    """What was accepted of it is there."""
    rows = bo("2026-09-05T11:00:00Z") | delta(
        {"enrollments": [DISTRICT["enrollments"][1] | {"sourcedId": "e9"}]}
    )
    known = KNOWN | {
        "classes": pl.DataFrame({"sourcedId": ["c2"], "fingerprint": [0], "status": ["active"]})
    }

    checked = check(roster(tmp_path, rows), known, moments=newest(users=NOON))

    assert (OLDER, ["e9"]) == (
        rules(checked),
        list(checked.standing["enrollments"].accepted["sourcedId"]),
    )


def test_full_snapshots_are_not_concerned(tmp_path: Path) -> None:
    """They say what is true now, whenever a row was changed."""
    rows = district() | {
        "users": [DISTRICT["users"][1] | {"dateLastModified": "2020-01-01T00:00:00Z"}]
    }

    assert "outdated" not in {
        rule for _, rule in rules(judged(tmp_path, rows, newest(users=NOON), "bulk"))
    }


def test_moments_of_what_was_accepted_are_kept_and_no_others(tmp_path: Path) -> None:
    """Of records and of their parts; also of those that are gone; not of what was refused, or is known."""
    active, gone = (
        roster(tmp_path, bo("2026-09-05T12:00:00Z")),
        roster(tmp_path, bo("2026-09-05T12:00:00Z", "tobedeleted")),
    )
    stands, went = (check(one, KNOWN).standing for one in (active, gone))

    found = accepted_timestamps(active, stands, {})
    assert {"users": [("bo", NOON, None)], "roles": [("r2", NOON, "bo")]} == {
        name: rows.rows() for name, rows in found.items()
    }
    assert [("bo", NOON, None)] == accepted_timestamps(gone, went, {})["users"].rows()
    assert {} == accepted_timestamps(active, {}, {})
    assert {} == accepted_timestamps(active, stands, newest(users=NOON, roles=NOON))
    assert {} == accepted_timestamps(roster(tmp_path, district(), "bulk"), stands, {})
    assert [MOMENT, OWNER] == list(TIMESTAMP_COLUMNS)[1:]


def test_a_delta_says_offsets_as_it_likes(tmp_path: Path) -> None:
    """A moment with an offset is one moment without doubt, and is read as such."""
    rows = delta({"users": [DISTRICT["users"][1]], "roles": [DISTRICT["roles"][1]]})
    rows["users"][0]["dateLastModified"] = "2026-09-05T14:00:00+02:00"

    frame = roster(tmp_path, rows).tables["users"].frame

    assert ["2026-09-05T12:00:00.000Z"] == frame["dateLastModified"].to_list()
