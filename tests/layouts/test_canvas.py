"""Canvas: several top accounts, enrollments with days of their own, and cross-lists of earlier nights."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.layouts.normalizing import judged, lines, normalized, rules, written
from tests.layouts.test_nights import CANVAS, synced
from tests.running import Run
from tests.serving import Served
from transforms.findings import MADE, ROW, SPAN, file_and_row, row_findings, row_location

# Two districts of one Canvas, each above its schools.
ACCOUNTS = """account_id,parent_account_id,name,status
N,,North,active
E,N,Elm,active
P,,South,active
O,P,Oak,active"""
COURSES = CANVAS["courses"] + "\nD,Bio,Bio,O,T,active\nX,Any,Any,,T,active"
SECTIONS = CANVAS["sections"] + "\nV,D,Bio 1,active\nW,X,Any 1,active"
TOPS = {**CANVAS, "accounts": ACCOUNTS, "courses": COURSES, "sections": SECTIONS}
DISTRICT = "district/larkspur"


@pytest.fixture
def at(tmp_path: Path, sandbox: Sandbox) -> Served:
    """A target without records."""
    return Served(sandbox, tmp_path / "state")


def ids(folder: Path, name: str, key: str) -> set[str]:
    """The ids that a file of a drop has."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row[key] for row in csv.DictReader(file)}


def sent(run: Run) -> int:
    """How many records a run sent."""
    return sum(run.total(term) for term in ("created", "updated", "deleted", "disabled"))


def test_several_top_accounts_are_below_one_organization(at: Served, tmp_path: Path) -> None:
    """All classes load with no setting; whatever names no account is of the organization above."""
    drop = written(tmp_path / "drop", **TOPS)

    runs = [synced(at, drop, command=one) for one in ("check", "plan", "sync")]
    again, verified = synced(at, drop), synced(at, drop, command="verify")

    assert [0, 0, 0, 0] == [run.code for run in (*runs, verified)]
    assert ("unchanged", 0) == (again.json["status"], sent(again))
    for run in runs:
        entities = run.json["entities"]
        assert 0 == run.total("rejected")
        assert len(ids(drop, "sections", "section_id")) == entities["classes"]["read"]
        assert len(ids(drop, "accounts", "account_id")) + 1 == entities["orgs"]["read"]
    assert {"N": DISTRICT, "P": DISTRICT, "E": "N", "O": "P"} == {
        one: at.record("orgs", one)["parent"]["sourcedId"] for one in ("N", "P", "E", "O")
    }
    assert DISTRICT == at.record("courses", "X")["org"]["sourcedId"]
    assert ("district", DISTRICT) == (
        at.record("orgs", DISTRICT)["type"],
        at.record("classes", "W")["school"]["sourcedId"],
    )


def test_a_top_account_stays_below_the_organization(at: Served, tmp_path: Path) -> None:
    """A later night has one of the accounts only, or a new name for it."""
    head, north, elm, south, oak = ACCOUNTS.split("\n")
    synced(at, written(tmp_path / "first", **TOPS))

    same = synced(at, written(tmp_path / "second", accounts="\n".join([head, north, elm])))
    renamed = synced(
        at,
        written(
            tmp_path / "third", accounts="\n".join([head, south.replace("South", "Shore"), oak])
        ),
    )

    assert [(0, 0), (0, 1)] == [(run.code, sent(run)) for run in (same, renamed)]
    assert [("North", DISTRICT), ("Shore", DISTRICT)] == [
        (one["name"], one["parent"]["sourcedId"])
        for one in (at.record("orgs", "N"), at.record("orgs", "P"))
    ]


def test_one_top_account_is_the_district(tmp_path: Path) -> None:
    """Nothing is made above it, nor above a district of the feed file's name."""
    one = "account_id,parent_account_id,name,status\nN,,North,active\nE,N,Elm,active"
    several = normalized(written(tmp_path / "several", accounts=ACCOUNTS), district_id="N")

    assert "district_made" not in rules(
        normalized(written(tmp_path / "one", accounts=one)).findings
    )
    assert "district_made" not in rules(several.findings)


def test_who_has_no_role_is_told_where_canvas_says_one(tmp_path: Path) -> None:
    """Canvas has no roles.csv, so nobody is asked for it."""
    enrollments = "section_id,user_id,role,status\nS,u2,student,active"

    found = judged(normalized(written(tmp_path, **{**CANVAS, "enrollments": enrollments}))).findings

    assert [("users.csv", 1, "role_unknown")] == (
        found.errors.filter(sourcedId="u1").select("file", "row", "rule").rows()
    )
    assert "role_missing" not in found.errors["rule"]


@pytest.mark.parametrize("file", ["terms.csv", "users.csv, staff.csv"])
def test_a_record_that_roster_made_has_no_row(file: str) -> None:
    """Neither in errors nor in notices, whether its table has one file or several."""
    rows = pl.DataFrame({ROW: [7, SPAN - 1, MADE], "sourcedId": ["a", "b", "c"]})
    first = file.split(", ", maxsplit=1)[0]

    notices = row_findings("padded", rows, file=file, entity="", column="title").notices

    assert [7, None, None] == rows.select(row=file_and_row(file)[1])["row"].to_list()
    assert [f"{first} row 7", first, first] == rows.select(at=row_location(file))["at"].to_list()
    assert [7, None, None] == [row for one in notices for row, _ in one.examples]


def test_an_enrollment_has_its_own_days(at: Served, tmp_path: Path) -> None:
    """From its first day to the day after its last one; `completed` ends it, and deletes nothing."""
    enrollments = (
        "section_id,user_id,role,status,start_date,end_date\n"
        "S,u1,student,active,2026-09-01,2026-10-30\n"
        "S,u2,student,completed,,2026-10-02T23:59:59Z"
    )
    drop = written(tmp_path / "drop", **{**CANVAS, "enrollments": enrollments})

    runs = [synced(at, drop, command=one) for one in ("check", "plan", "sync")]
    again, verified = synced(at, drop), synced(at, drop, command="verify")

    assert [0, 0, 0, 0] == [run.code for run in (*runs, verified)]
    assert ("unchanged", 0) == (again.json["status"], sent(again))
    assert [("2026-09-01", "2026-10-31"), (None, "2026-10-03")] == [
        tuple((one.get(day) or "")[:10] or None for day in ("beginDate", "endDate"))
        for one in (
            at.record("enrollments", f"enrollment/S/{user}/student") for user in ("u1", "u2")
        )
    ]


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({"sections": "section_id,course_id,name,status,end_date\nS,C,Art 1,active,2026-11-06"}, "2026-11-07"),
        ({"courses": "course_id,short_name,long_name,account_id,term_id,status,end_date\nC,Art,Art,E,T,active,2026-11-13"}, "2026-11-14"),
        ({"terms": "term_id,name,status,start_date,end_date\nT,Fall,active,2026-08-01,2026-11-20"}, "2026-11-21"),
        ({}, None),
        ({"terms": "term_id,name,status\nT,Fall,active"}, None),
    ],
    ids=["section", "course", "term", "a term that goes on", "no day"],
)  # fmt: skip
def test_a_completed_enrollment_ends_with_its_class(
    more: dict[str, str], end: str | None, tmp_path: Path
) -> None:
    """If the class is over; otherwise nothing says since when, which is reported."""
    completed = {"enrollments": "section_id,user_id,role,status\nS,u1,student,completed"}

    roster = normalized(written(tmp_path, **{**CANVAS, **completed, **more}))

    assert [(None, end)] == lines(roster, "enrollments", "beginDate", "endDate")
    assert (end is None) == ("completed_undated" in rules(roster.findings))


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        (("2026-09-01,2026-09-30", "2026-11-02,2026-12-04"), ("2026-09-01", "2026-12-05")),
        (("2026-09-01,2026-09-30", ","), (None, None)),
        (("2026-09-01,soon", "2026-11-02,2026-12-04"), ("2026-09-01", "soon")),
    ],
    ids=["two periods", "an open one", "no day"],
)
def test_a_person_is_in_a_class_once(
    rows: tuple[str, str], days: tuple[str | None, str | None], tmp_path: Path
) -> None:
    """Two rows of one enrollment are one period, from the first day to the last."""
    head = "section_id,user_id,role,status,start_date,end_date\n"
    text = head + "\n".join(f"S,u1,student,active,{row}" for row in rows)

    roster = normalized(written(tmp_path, **{**CANVAS, "enrollments": text}))

    assert days == lines(roster, "enrollments", "beginDate", "endDate")[0]
    assert {"enrollment/S/u1/student"} == set(roster.tables["enrollments"].frame["sourcedId"])


LISTED = {**CANVAS, "courses": CANVAS["courses"] + "\nD,Bio,Bio,E,T,active"}
XLISTS = "xlist_course_id,section_id,status\nD,S,{}"


@pytest.mark.parametrize("prefix", ["", "n-"])
def test_a_cross_list_holds_on_later_nights(prefix: str, at: Served, tmp_path: Path) -> None:
    """Canvas sends xlists.csv once, and the section's own course every night, until a row ends it.

    The target moves no class, so that each night after the end reports that it should.
    """
    more = f'prefix = "{prefix}"\n' if prefix else ""
    listing = written(tmp_path / "listing", **LISTED, xlists=XLISTS.format("active"))
    plain = written(tmp_path / "plain", **LISTED)
    ending = written(tmp_path / "ending", **LISTED, xlists=XLISTS.format("deleted"))

    runs = [synced(at, drop, more) for drop in (listing, plain, ending, plain)]

    assert f"{prefix}D" == at.record("classes", f"{prefix}S")["course"]["sourcedId"]
    assert [0, 0, 0] == [sent(run) for run in runs[1:]]
    assert [False, False, True, True] == ["class_moved" in run.err for run in runs]


def test_a_cross_list_that_comes_alone_holds_when_the_section_comes(
    at: Served, tmp_path: Path
) -> None:
    """The file says nothing by itself, and is remembered."""
    alone = written(tmp_path / "alone", xlists=XLISTS.format("active"))
    section = written(tmp_path / "section", **LISTED)

    synced(at, alone)
    synced(at, section)

    assert "D" == at.record("classes", "S")["course"]["sourcedId"]


def test_a_cross_list_holds_for_the_new_ids_of_its_records(at: Served, tmp_path: Path) -> None:
    """The course and the section get other ids, on one night and for all that follow."""
    synced(at, written(tmp_path / "first", **LISTED, xlists=XLISTS.format("active")))
    new = {
        name: text.replace("S,", "S2,").replace("\nD,", "\nD2,") for name, text in LISTED.items()
    }
    changes = "old_id,new_id,type\nS,S2,section\nD,D2,course"

    changing = synced(at, written(tmp_path / "second", **new, change_sis_id=changes))
    after = synced(at, written(tmp_path / "third", **new))

    assert ["unchanged", "unchanged"] == [changing.json["status"], after.json["status"]]
    assert "D" == at.record("classes", "S")["course"]["sourcedId"]
