"""Nights of drops whose content is certain, though it is spelled in many ways: all of it loads, with no setting."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.layouts.clever import clever
from tests.layouts.normalizing import written
from tests.layouts.test_nights import CANVAS, FEED
from tests.running import Run
from tests.serving import Served

NAME = "larkspur"


@pytest.fixture
def at(tmp_path: Path, sandbox: Sandbox) -> Served:
    """A target without records."""
    return Served(sandbox, tmp_path / "state")


def nights(at: Served, drop: Path) -> Run:
    """Check, plan and load a drop; then compare, and load it again. Return the first night."""
    feed = at.state.parent / f"{NAME}.toml"
    feed.write_text(FEED.format(feed=NAME, drop=str(drop)))

    checked = at.roster("check", feed)
    planned = at.roster("plan", feed)
    first = at.roster("sync", feed)
    compared = at.roster("verify", feed)
    second = at.roster("sync", feed)

    assert [0, 0, 0, 0, 0] == [run.code for run in (checked, planned, first, compared, second)]
    assert 0 == first.total("rejected") == checked.total("rejected")
    assert planned.total("created") == first.total("created")
    assert ("unchanged", []) == (second.json["status"], at.writes)
    return first


def ids(file: Path, *columns: str) -> set[tuple[str, ...]]:
    """The distinct values of some columns of a file."""
    with file.open(encoding="utf-8") as rows:
        return {tuple(row[column] for column in columns) for row in csv.DictReader(rows)}


def created(run: Run, entity: str) -> int:
    """How many records of an entity a run created."""
    return int(run.json["entities"][entity]["created"])


def test_people_and_courses_of_clever_arrive_once_each(at: Served, tmp_path: Path) -> None:
    """Two spellings of a student, a teacher who married, one mother, one name, and one number of two courses."""
    drop = clever(
        tmp_path / "drop",
        students="School_id,Student_id,First_name,Last_name,DOB,Contact_name,Contact_email\n"
        "1,s1,José,Núñez,1/2/2010,Rosa Ito,rosa@example.edu\n"
        "2,s1,Jose,Nunez,1/2/2010,ROSA  ITO,Rosa@example.edu\n"
        "1,s2,Bo,,2/3/2011,Grandma,grandma@example.edu\n",
        teachers="School_id,Teacher_id,First_name,Last_name,Teacher_email\n"
        "1,t1,Una,Ek,una@example.edu\n2,t1,Una,Ek-Holm,una@example.edu\n",
        sections="School_id,Section_id,Teacher_id,Course_number,Course_name\n"
        "1,c1,t1,7,Algebra\n1,c2,t1,7,Español\n1,c3,t1,7,Espan\u0303ol\n2,c4,t1,7,Algebra\n",
        enrollments="School_id,Section_id,Student_id\n1,c1,s1\n1,c2,s2\n1,c3,s2\n2,c4,s1\n",
    )
    people = sum(
        len(ids(drop / f"{file}.csv", f"{file.rstrip('s').title()}_id"))
        for file in ("students", "teachers", "staff")
    )

    first = nights(at, drop)

    assert people + len({"Rosa", "Grandma"}) == created(first, "users")
    assert len({"1 Algebra", "1 Español", "2 Algebra"}) == created(first, "courses")
    assert 2 == len(at.record("users", "s1")["roles"])
    assert {"Bo"} == {at.record("users", "s2")[name] for name in ("givenName", "familyName")}
    for rule in ("person_differs", "one_name"):
        assert rule in first.said


def test_ids_of_canvas_arrive_escaped(at: Served, tmp_path: Path) -> None:
    """With all that belongs to them."""
    files = {
        name: text.replace("u1", "UID 1").replace("T,", "TERM:1,").replace("C,", "CRS:1#a,")
        for name, text in CANVAS.items()
    }
    files["enrollments"] = "section_id,user_id,role,status\nS,UID 1,student,active"

    first = nights(at, written(tmp_path / "drop", **files))

    assert len(ids(tmp_path / "drop/users.csv", "user_id")) == created(first, "users")
    assert "CRS@3a1@23a" == at.record("classes", "S")["course"]["sourcedId"]
    assert (
        "UID@201" == at.record("enrollments", "enrollment/S/UID@40201/student")["user"]["sourcedId"]
    )
    assert "UID=201@students.example.edu" == at.record("users", "UID@201")["email"]
