"""Days: by whose clock a timestamp is a day, and which day of a term is its last."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine

from connectors.oneroster.sandbox import Sandbox
from flows.make_job import make_job
from flows.options import Options
from tests.judging import TODAY
from tests.layouts.clever import clever
from tests.layouts.normalizing import column, lines, normalized, rules, written
from tests.layouts.test_nights import CANVAS, synced
from tests.serving import Served
from transforms.layouts.expressions import day_of
from transforms.sources.sds_v2_1 import LAYOUT as SDS_V2_1

BERLIN, DENVER = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Denver")
# Two terms of a school in Berlin, in UTC, as Canvas exports them.
TERMS = """term_id,name,status,start_date,end_date
T,Autumn,active,2026-07-31T22:00:00Z,2027-01-29T22:59:59Z
U,Spring,active,2027-01-31T23:00:00Z,2027-07-30T21:59:59Z"""


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-07-31T22:00:00Z", BERLIN, "2026-08-01"),
        ("2026-07-31 22:00:00.000 UTC", BERLIN, "2026-08-01"),
        ("7/31/2026 22:00:00+00:00", BERLIN, "2026-08-01"),
        ("2026-08-01T05:59:59Z", DENVER, "2026-07-31"),
        ("2026-07-31T22:00:00Z", None, "2026-07-31"),
        ("2026-07-31T22:00:00", BERLIN, "2026-07-31"),
        ("2026-12-18T23:59:59-06:00", BERLIN, "2026-12-18"),
        ("2026-08-01T00:00:00Z", DENVER, "2026-08-01"),
        ("2026-08-01", DENVER, "2026-08-01"),
        ("2026-08-01T31:00:00Z", DENVER, "2026-08-01T31:00:00Z"),
    ],
)
def test_a_timestamp_is_the_day_by_the_clock_of_the_feed(
    text: str, zone: ZoneInfo | None, day: str
) -> None:
    """Midnight and the last minute of a day are that day, by whatever clock."""
    assert day == day_of(text, "mdy", TODAY, zone=zone)


def test_a_timestamp_without_an_offset_may_be_in_utc() -> None:
    """Canvas writes them so."""
    assert "2026-08-01" == day_of(
        "2026-07-31 22:00:00", "ymd", TODAY, zone=BERLIN, clock_in_utc=True
    )


def test_canvas_has_the_days_of_its_schools(sandbox: Sandbox, tmp_path: Path) -> None:
    """The year begins in Berlin while it is July in UTC: the terms are in one school year."""
    at = Served(sandbox, tmp_path / "state")
    drop = written(tmp_path / "drop", **{**CANVAS, "terms": TERMS})
    zone, year = 'time_zone = "Europe/Berlin"\n', 'year_begins = "08-01"\n'

    runs = [synced(at, drop, year, top=zone, command=one) for one in ("check", "plan", "sync")]
    again = synced(at, drop, year, top=zone)

    assert [0, 0, 0] == [run.code for run in runs]
    assert ("unchanged", []) == (again.json["status"], at.writes)
    assert [
        ("2026-08-01", "2027-01-30", "year/2027"),
        ("2027-02-01", "2027-07-31", "year/2027"),
    ] == [
        (one["startDate"][:10], one["endDate"][:10], one["parent"]["sourcedId"])
        for one in (at.record("academicSessions", "T"), at.record("academicSessions", "U"))
    ]
    assert {} == at.record("academicSessions", "year/2026")


def test_a_feed_without_a_time_zone_has_the_days_of_utc(tmp_path: Path) -> None:
    """Reported, since the setting decides."""
    drop = written(tmp_path, **{**CANVAS, "terms": TERMS})

    without, with_zone = normalized(drop), normalized(drop, zone=BERLIN)

    assert "2026-07-31" == column(without.tables["academicSessions"].frame, "startDate")["T"]
    assert ["start_date", "end_date"] == [
        one.column for one in without.findings.notices if one.rule == "zone_missing"
    ]
    assert "zone_missing" not in rules(with_zone.findings)


def test_days_need_no_time_zone(tmp_path: Path) -> None:
    """Neither do timestamps that are whole days, or that say the clock of their place."""
    terms = (
        "term_id,name,status,start_date,end_date\n"
        "T,Fall,active,2026-08-17T00:00:00Z,2026-12-18T23:59:59-06:00\nU,Spring,active,2027-01-04,"
    )

    roster = normalized(written(tmp_path, **{**CANVAS, "terms": terms}))

    assert "zone_missing" not in rules(roster.findings)


def test_a_time_zone_changes_no_id(tmp_path: Path) -> None:
    """Terms of Clever are known by the days that are written."""
    sections = (
        "School_id,Section_id,Teacher_id,Name,Term_name,Term_start,Term_end\n"
        "1,c1,t1,Art,Fall,2026-08-16T22:00:00Z,2026-12-18T21:00:00Z"
    )
    drop = clever(tmp_path, sections=sections)

    without, with_zone = normalized(drop), normalized(drop, zone=BERLIN)

    assert ["term/Fall/2026-08-16/2026-12-18"] * 2 == [
        column(one.tables["classes"].frame, "termSourcedIds")["c1"] for one in (without, with_zone)
    ]
    assert ("2026-08-17", "2026-12-19") in lines(
        with_zone, "academicSessions", "startDate", "endDate"
    )


LAST_DAYS = {
    "canvas": {**CANVAS, "terms": "term_id,name,status,start_date,end_date\nT,Fall,active,2026-08-17,2026-12-18T23:59:59-06:00"},
    "clever": {"sections": "School_id,Section_id,Teacher_id,Name,Term_name,Term_start,Term_end\n1,c1,t1,Art,Fall,8/17/26,12/18/26"},
    "sds_v1": {
        "School": "SIS ID,Name\n1,Elm",
        "Section": "SIS ID,School SIS ID,Section Name,Term Name,Term StartDate,Term EndDate\nc1,1,Art,Fall,8/17/2026,12/18/2026",
        "Student": "SIS ID,School SIS ID,Username,First Name,Last Name\ns1,1,ann,Ann,Lee",
        "Teacher": "SIS ID,School SIS ID,Username,First Name,Last Name\nt1,1,cy,Cy,Oak",
        "StudentEnrollment": "Section SIS ID,SIS ID\nc1,s1",
        "TeacherRoster": "Section SIS ID,SIS ID\nc1,t1",
    },
    "sds_v2_1": {
        "orgs": "sourcedId,name,type\n1,Elm,school",
        "users": "sourcedId,username\ns1,ann",
        "roles": "userSourcedId,orgSourcedId,role\ns1,1,student",
        "classes": "sourcedId,orgSourcedId,title,sessionSourcedIds\nc1,1,Art,T",
        "enrollments": "classSourcedId,userSourcedId,role\nc1,s1,student",
        "academicSessions": "sourcedId,title,type,schoolYear,startDate,endDate\nT,Fall,semester,2027,2026-08-17,2026-12-18",
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", LAST_DAYS)
def test_a_term_ends_on_the_day_after_its_last(layout: str, tmp_path: Path) -> None:
    """OneRoster's ends are exclusive: on its last day a term has not ended."""
    files = LAST_DAYS[layout]
    drop = clever(tmp_path, **files) if layout == "clever" else written(tmp_path, **files)

    roster = normalized(drop, layout)

    assert ("Fall", "2026-08-17", "2026-12-19") in lines(
        roster, "academicSessions", "title", "startDate", "endDate"
    )


def test_what_is_no_day_has_no_day_after(tmp_path: Path) -> None:
    """The check rejects it with its own text."""
    sections = (
        "School_id,Section_id,Teacher_id,Name,Term_name,Term_start,Term_end\n"
        "1,c1,t1,Art,Fall,8/17/26,winter"
    )

    roster = normalized(clever(tmp_path, sections=sections))

    assert "winter" in column(roster.tables["academicSessions"].frame, "endDate").values()


@pytest.mark.parametrize(
    ("roles", "grade"),
    [
        ("s1,1,student,SY26,10,FALSE,,\ns1,1,student,SY27,11,TRUE,,", "11"),
        ("s1,1,student,,10,,2025-08-17,2026-06-04\ns1,1,student,,11,,2026-08-17,2027-06-04", "11"),
        ("s1,1,student,,10,,2025-08-17,2026-06-04\ns1,1,student,,11,,,", "11"),
        ("s1,1,student,,11,,2026-08-17,2027-06-04\ns1,1,student,,12,,2027-08-17,2028-06-04", "11"),
        ("s1,1,student,,09,,2024-08-17,2025-06-04\ns1,1,student,,10,,2025-08-17,2026-06-04", "10"),
        ("s1,1,student,SY27,11,FALSE,,\ns1,2,student,SY27,12,TRUE,,", "12"),
        ("s1,1,student,SY26,10,TRUE,,\ns1,1,student,SY27,,TRUE,,", "10"),
        ("s1,1,student,SY27,11,,,\ns1,2,student,SY27,12,,,", "11,12"),
    ],
    ids=[
        "sessions", "days of the roles", "a role without days", "next year", "past years",
        "primary", "the only grade", "two grades",
    ],
)  # fmt: skip
def test_the_grade_is_that_of_the_role_that_holds(roles: str, grade: str, tmp_path: Path) -> None:
    """School Data Sync V2.1 has the roles of earlier and later years beside those of today."""
    files = {
        **LAST_DAYS["sds_v2_1"],
        "orgs": "sourcedId,name,type\n1,Elm,school\n2,Oak,school",
        "roles": "userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,"
        f"roleStartDate,roleEndDate\n{roles}",
        "academicSessions": "sourcedId,title,type,schoolYear,startDate,endDate\n"
        "SY26,2025-26,schoolYear,2026,2025-08-17,2026-06-04\n"
        "SY27,2026-27,schoolYear,2027,2026-08-17,2027-06-04",
    }

    roster = normalized(written(tmp_path, **files), SDS_V2_1)

    assert {"s1": grade} == column(roster.tables["users"].frame, "grades")
    assert ("," in grade) == ("several_grades" in rules(roster.findings))


def test_two_grades_of_one_student_are_reported(tmp_path: Path) -> None:
    """Clever says a grade for each school; both are sent, as nobody knows which one is right."""
    students = "School_id,Student_id,First_name,Last_name,Grade\n1,s1,Ann,Lee,6\n2,s1,Ann,Lee,7\n1,s2,Bo,Ray,7"

    roster = normalized(clever(tmp_path, students=students))

    grades = column(roster.tables["users"].frame, "grades")
    assert {"s1": "06,07", "s2": "07"} == {one: grades[one] for one in ("s1", "s2")}
    assert [("students.csv", 1, ((1, "06,07"),))] == [
        (one.file, one.count, one.examples)
        for one in roster.findings.notices
        if one.rule == "several_grades"
    ]


@pytest.mark.parametrize(
    ("top", "day"),
    [
        ('time_zone = "America/Denver"\n', date(2026, 6, 30)),
        ('time_zone = "Pacific/Kiritimati"\n', date(2026, 7, 1)),
    ],
)
def test_the_day_of_a_run_is_that_of_the_feed(top: str, day: date, tmp_path: Path) -> None:
    """Whatever the machine's clock is set to: a term ends, and a blackout begins, at the schools."""
    file = tmp_path / "larkspur.toml"
    file.write_text(
        f'{top}drop = "{clever(tmp_path / "drop")}"\n[target]\nurl = "sandbox"\n'
        f'[calendar]\nblackout = ["{day}"]\n'
    )

    with time_machine.travel(datetime(2026, 7, 1, 4, tzinfo=UTC), tick=False):
        job = make_job(Options.of("sync", file, state=tmp_path / "state"), os.environ)

    assert (day, day, day) == (job.run.today, job.as_written.today, job.guard.blackout)
