"""Courses that no file lists: they are derived from the sections."""

from __future__ import annotations

from pathlib import Path

from tests.layouts.clever import clever
from tests.layouts.normalizing import column, lines, normalized, written
from tests.layouts.test_people import sds

SECTIONS = (
    "School_id,Section_id,Teacher_id,Course_number,Course_name,Term_name,Term_start,Term_end\n"
)
NUMBERED = (
    "1,c1,t1,7,Algebra,,,\n1,c2,t1,7,ALGEBRA ,,,\n1,c3,t1,7,Biology,,,\n1,c4,t1,7,,,,\n"
    "2,c5,t1,7,Algebra,,,\n1,c6,t1,8,Álgebra  I,,,\n1,c7,t1,8,Algebra I,,,\n"
)


def test_one_number_of_several_courses_does_not_merge_them(tmp_path: Path) -> None:
    """Number and name identify the course in that school; spelling makes no other course."""
    roster = normalized(clever(tmp_path, sections=SECTIONS + NUMBERED))

    assert {
        "course/1/7/algebra": "ALGEBRA",
        "course/1/7/biology": "Biology",
        "course/1/7": "7",
        "course/2/7": "Algebra",
        "course/1/8": "Algebra I",
    } == column(roster.tables["courses"].frame, "title")
    assert [
        ("c1", "course/1/7/algebra"),
        ("c2", "course/1/7/algebra"),
        ("c3", "course/1/7/biology"),
        ("c4", "course/1/7"),
        ("c5", "course/2/7"),
        ("c6", "course/1/8"),
        ("c7", "course/1/8"),
    ] == lines(roster, "classes", "sourcedId", "courseSourcedId")


def test_courses_with_ids_of_their_own_do_not_count(tmp_path: Path) -> None:
    """School Data Sync: a section with a course's id says nothing of the others."""
    header = "SIS ID,School SIS ID,Section Name,Course SIS ID,Course Number,Course Name\n"
    one = "c1,1,Art A,,7,Art\nc2,1,Clay A,k9,7,Clay\n"

    apart = normalized(written(tmp_path / "one", **sds(Section=header + one)))
    several = normalized(
        written(tmp_path / "several", **sds(Section=header + one + "c3,1,Ink,,7,Ink\n"))
    )

    assert [("c1", "course/1/7"), ("c2", "k9")] == lines(
        apart, "classes", "sourcedId", "courseSourcedId"
    )
    assert [("c1", "course/1/7/art"), ("c2", "k9"), ("c3", "course/1/7/ink")] == lines(
        several, "classes", "sourcedId", "courseSourcedId"
    )
    assert {"course/1/7/art", "k9", "course/1/7/ink"} == set(
        several.tables["courses"].frame["sourcedId"]
    )
