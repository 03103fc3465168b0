"""One main teacher of a class at a time, whether a drop has all enrollments or only changes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.judging import judged
from tests.rosters import DISTRICT, Row, delta, district
from transforms.main_teachers import settle_main_teachers
from transforms.records import EntityRecords, RosterState

MAIN = DISTRICT["enrollments"][2]  # e3: Tia is the main teacher of c1


def enrollments(folder: Path, *rows: Row) -> RosterState:
    """Judge a delta of enrollments in c1, each of a main teacher unless it says otherwise."""
    table = [MAIN | {"userSourcedId": "bo"} | row for row in rows]
    return judged(folder, delta(district() | {"enrollments": table}), mode="delta").standing


def before(folder: Path, *rows: Row) -> EntityRecords:
    """Judge the enrollments of the roster before."""
    table = [MAIN, *(MAIN | {"userSourcedId": "bo"} | row for row in rows)]
    return judged(folder, district() | {"enrollments": table}).standing["enrollments"]


def flags(records: EntityRecords) -> dict[str, str]:
    """Return whether each enrollment is that of a main teacher, by id."""
    return dict(records.accepted.select("sourcedId", "primary").sort("sourcedId").rows())


@pytest.mark.parametrize(
    ("row", "expected", "reported"),
    [
        # The one from before comes first; a row for it is not needed.
        ({"sourcedId": "e4"}, {"e4": "false"}, 1),
        # The new one comes first, so the one from before is sent too.
        ({"sourcedId": "e1"}, {"e1": "true", "e3": "false"}, 0),
        ({"sourcedId": "e1", "primary": "false"}, {"e1": "false"}, 0),
        ({"sourcedId": "e4", "role": "student"}, {"e4": "true"}, 0),
        ({"sourcedId": "e4", "classSourcedId": "c2"}, {"e4": "true"}, 0),
    ],
)
def test_a_delta_is_compared_with_the_roster_before(
    row: Row, expected: dict[str, str], reported: int, tmp_path: Path
) -> None:
    """The enrollment whose id comes first is used, as in a full snapshot."""
    drop = enrollments(tmp_path / "drop", row)

    settled, found = settle_main_teachers(drop, before(tmp_path / "before"))

    assert expected == flags(settled["enrollments"])
    assert reported == sum(notice.count for notice in found.notices)
    rows = settled["enrollments"].accepted["#row"]
    assert rows.is_unique().all()


def test_what_a_delta_takes_back_is_no_rival(tmp_path: Path) -> None:
    """The main teacher from before has another row in the same drop."""
    drop = enrollments(
        tmp_path / "drop", {"sourcedId": "e3", "primary": "false"}, {"sourcedId": "e4"}
    )

    settled, found = settle_main_teachers(drop, before(tmp_path / "before"))

    assert ({"e3": "false", "e4": "true"}, ()) == (flags(settled["enrollments"]), found.notices)


def test_without_a_roster_before_a_delta_is_compared_with_itself(tmp_path: Path) -> None:
    """The first drop of a feed may be a delta."""
    drop = enrollments(tmp_path / "drop", {"sourcedId": "e5"}, {"sourcedId": "e4"})

    settled, _ = settle_main_teachers(drop, None)

    assert {"e4": "true", "e5": "false"} == flags(settled["enrollments"])


def test_periods_are_compared_with_those_that_stay(tmp_path: Path) -> None:
    """A full snapshot of the same rows would have the same result."""
    rows = [
        {"sourcedId": "e4", "beginDate": "2026-09-01", "endDate": "2026-11-01"},
        {"sourcedId": "e5", "beginDate": "2026-10-01", "endDate": "2027-01-01"},
    ]
    first = {"sourcedId": "e1", "beginDate": "2026-08-15", "endDate": "2026-10-01"}
    ended = MAIN | {"primary": "false"}
    whole = judged(
        tmp_path / "whole",
        district()
        | {
            "enrollments": [
                ended,
                *(MAIN | {"userSourcedId": "bo"} | one for one in (first, *rows)),
            ]
        },
    ).standing["enrollments"]

    settled, _ = settle_main_teachers(
        enrollments(tmp_path / "drop", *rows),
        judged(tmp_path / "before", district() | {"enrollments": [ended, MAIN | first]}).standing[
            "enrollments"
        ],
    )

    same = pl.col("sourcedId").is_in(["e4", "e5"])
    assert {"e4": "false", "e5": "true"} == flags(settled["enrollments"])
    assert whole.accepted.filter(same)["primary"].to_list() == ["false", "true"]
