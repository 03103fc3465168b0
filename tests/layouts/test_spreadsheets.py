"""What a spreadsheet has done to a drop is reported, and repaired only where the feed file says so and nothing else can be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layouts.clever import clever
from tests.layouts.normalizing import column, judged, lines, normalized, rules
from transforms.roster import Roster

STUDENTS = "School_id,Student_id,First_name,Last_name,Grade\n"


@pytest.mark.parametrize(
    ("grade", "meant"),
    [
        ("8-Jun", "06,07,08"),
        ("Jun-8", "06,07,08"),
        ("12-Sep", "09,10,11,12"),
        ("5-May", "05"),
        ("31-Dec", "12"),
    ],
)
def test_a_range_of_grades_that_became_a_date(grade: str, meant: str, tmp_path: Path) -> None:
    """6-8 is shown as 8-Jun: it is left out, or by setting the range again, as far as there are such grades."""
    drop = clever(tmp_path, students=f"{STUDENTS}1,s1,Ann,Lee,{grade}\n1,s2,Bo,Ray,7")

    left, mended = normalized(drop), normalized(drop, repair=True)

    assert {"s1": None, "s2": "07"} == {
        key: grades
        for key, grades in column(left.tables["users"].frame, "grades").items()
        if key[0] == "s"
    }
    assert meant == column(mended.tables["users"].frame, "grades")["s1"]
    assert "spreadsheet_date" in rules(left.findings)
    assert "spreadsheet_mended" in rules(mended.findings)


def test_an_id_in_powers_of_ten_rejects_its_row(tmp_path: Path) -> None:
    """Its last digits are nobody's guess, whatever the setting; one that has all its digits can be written out."""
    drop = clever(
        tmp_path, students=f"{STUDENTS}1,3.60E+11,Ann,Lee,6\n1,3.61234567891E+11,Bo,Ray,7"
    )

    left, mended = normalized(drop), normalized(drop, repair=True)

    assert [(1, "spreadsheet_number"), (2, "spreadsheet_number")] == faults(left)
    assert [(1, "spreadsheet_number")] == faults(mended)
    assert "361234567891" in column(mended.tables["users"].frame, "familyName")


def faults(roster: Roster) -> list[tuple[int, str]]:
    """The rows of students.csv with a damaged id of their own."""
    errors = judged(roster).findings.errors.filter(entity="users", column="sourcedId")
    return errors.filter(rule="spreadsheet_number").select("row", "rule").rows()


def test_an_id_that_only_looks_like_a_power_of_ten_is_an_id(tmp_path: Path) -> None:
    """`9E2` is a class of the ninth grade."""
    roster = normalized(
        clever(
            tmp_path,
            sections="School_id,Section_id,Teacher_id,Name\n1,9E2,t1,Art",
            enrollments="School_id,Section_id,Student_id\n1,9E2,s1",
        )
    )

    assert ["9E2"] == list(column(roster.tables["classes"].frame, "title"))
    assert not judged(roster).findings.errors.height


def test_zeros_that_one_file_lost_are_told_and_mended_by_setting(tmp_path: Path) -> None:
    """Only where one record alone can be meant: `01` and `001` are two."""
    drop = clever(
        tmp_path,
        students=f"{STUDENTS}1,0007,Ann,Lee,6\n1,01,Bo,Ray,7\n1,001,Cy,Ash,7",
        enrollments="School_id,Section_id,Student_id\n1,c1,7\n1,c1,1",
    )

    left, mended = normalized(drop), normalized(drop, repair=True)

    assert [("7",), ("1",)] == lines(left, "enrollments", "userSourcedId")[-2:]
    assert [("0007",), ("1",)] == lines(mended, "enrollments", "userSourcedId")[-2:]
    assert "zeros_differ" in rules(left.findings)
    assert {"enrollment/c1/1/student"} == set(
        judged(mended).standing["enrollments"].refused["sourcedId"]
    )
