"""Names: a person may have one only, and one person may be spelled in several ways."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.layouts.clever import FILES, clever
from tests.layouts.normalizing import column, judged, lines, normalized, rules, written
from tests.layouts.test_people import CANVAS, sds
from transforms.names import comparable

STUDENTS = "School_id,Student_id,First_name,Last_name,DOB,Student_email,Student_number\n"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("José", "Jose", True),
        ("José", "Jose\u0301", True),
        ("Łukasz Sørensen", "LUKASZ  SORENSEN", True),
        ("Ek-Holm", "Ek Holm", True),
        ("O’Brien", "OBrien", True),
        ("Ek", "Ek-Holm", False),
        ("かとう", "がとう", False),
        ("?", "!", False),
    ],
)
def test_names_are_compared_without_what_people_leave_out(one: str, other: str, same: bool) -> None:
    """Accents, case, spaces and hyphens; what makes another letter in other scripts counts."""
    names = pl.DataFrame({"name": [one, other]}).select(comparable(pl.col("name"))).to_series()

    assert same == (names[0] == names[1])


def test_a_person_with_one_name_has_it_twice(tmp_path: Path) -> None:
    """Both names are required; told, in a full name of Canvas as in two columns of School Data Sync."""
    users = "user_id,login_id,full_name,status\nu1,ann,Suharto,active\nu2,bo,Bo Ray,active"
    people = sds()["Student"].replace("bo,Bo,Ray,Inactive", "bo,,Pell,Active")

    canvas = normalized(written(tmp_path / "canvas", **{**CANVAS, "users": users}))
    other = normalized(written(tmp_path / "sds", **sds(Student=people)))

    assert [("u1", "Suharto", "Suharto"), ("u2", "Bo", "Ray")] == lines(
        canvas, "users", "sourcedId", "givenName", "familyName"
    )
    assert ("s2", "Pell", "Pell") in lines(other, "users", "sourcedId", "givenName", "familyName")
    for roster in (canvas, other):
        assert "one_name" in rules(roster.findings)
        assert not judged(roster).standing["users"].refused.height


def test_a_contact_with_one_name_has_it_twice(tmp_path: Path) -> None:
    """Though nobody else in the file has two."""
    students = "School_id,Student_id,First_name,Last_name,Contact_name\n1,s1,Ann,Lee,Grandma"

    roster = normalized(clever(tmp_path, students=students))

    assert ("Grandma", "Grandma") in lines(roster, "users", "givenName", "familyName")


def test_names_that_a_file_has_not_are_not_made_up(tmp_path: Path) -> None:
    """A column that is blank throughout is missing: nobody is called Ann Ann."""
    students = "School_id,Student_id,First_name,Last_name\n1,s1,Ann,\n1,s2,Bo,"

    checked = judged(normalized(clever(tmp_path, students=students)))

    assert {"s1", "s2"} == set(checked.standing["users"].refused["sourcedId"])
    assert "one_name" not in rules(checked.findings)


ONE_STUDENT = (
    ("accents", "1,s1,José,Núñez,,,\n2,s1,Jose,Nunez,,,", True),
    ("case, spaces and hyphens", "1,s1,Ana,Ek-Holm,,,\n2,s1,ANA,Ek  Holm,,,", True),
    ("accents in one school", "1,s1,José,Núñez,,,\n1,s1,Jose,Nunez,,,", True),
    ("a birth date", "1,s1,Una,Ek,1/2/2010,,\n2,s1,Una,Holm,2010-01-02,,", True),
    ("an address", "1,s1,Una,Ek,,una@example.edu,\n2,s1,Una,Holm,,UNA@example.edu,", True),
    ("a number", "1,s1,Una,Ek,,,7\n2,s1,Una,Holm,,,7", True),
    ("a number that is the id", "1,s1,Una,Ek,,,s1\n2,s1,Una,Holm,,,s1", False),
    ("nothing", "1,s1,Una,Ek,,,\n2,s1,Una,Holm,,,", False),
    ("what one row lacks", "1,s1,Una,Ek,1/2/2010,,\n2,s1,Una,Holm,,,", False),
    ("other values", "1,s1,Una,Ek,1/2/2010,,\n2,s1,Una,Holm,1/3/2010,,", False),
)


@pytest.mark.parametrize(
    ("agrees", "students", "one"), ONE_STUDENT, ids=[one[0] for one in ONE_STUDENT]
)
def test_rows_with_different_names_are_one_person_if_something_agrees(
    agrees: str, students: str, one: bool, tmp_path: Path
) -> None:
    """Spelling makes no other person; another name is reported, if a birth date, an address or a number agrees."""
    roster = normalized(clever(tmp_path, students=STUDENTS + students))

    refused = set(judged(roster).standing["users"].refused["sourcedId"])
    assert (set() if one else {"s1"}) == refused, agrees
    assert not one or "person_differs" in rules(roster.findings)
    assert 1 + (not one) == [*roster.tables["users"].frame["sourcedId"]].count("s1")


def test_the_number_of_a_student_says_nothing_of_a_teacher(tmp_path: Path) -> None:
    """Two people with one id and one number are not merged."""
    teachers = "School_id,Teacher_id,First_name,Last_name,Teacher_number\n1,s1,Cy,Dow,7"

    roster = normalized(clever(tmp_path, students=STUDENTS + "1,s1,Una,Ek,,,7", teachers=teachers))

    assert {"s1"} <= set(judged(roster).standing["users"].refused["sourcedId"])


def test_an_id_that_was_made_of_an_address_proves_nothing(tmp_path: Path) -> None:
    """A mother and a father may share an address in School Data Sync: nobody knows whose id it is."""
    user = "Email,First Name,Last Name\nito@example.edu,Rosa,Ito\nito@example.edu,Max,Ito"
    links = "SIS ID,Email,Role\ns1,ito@example.edu,parent"

    roster = normalized(written(tmp_path, **sds(user=user, guardianrelationship=links)))

    assert 1 == judged(roster).standing["users"].refused.height


def test_accents_may_be_composed_or_not(tmp_path: Path) -> None:
    """The same course, term and class title; the ids are those of composed accents, and nothing differs."""
    sections = (
        "School_id,Section_id,Teacher_id,Name,Course_name,Term_name,Term_start,Term_end\n"
        "1,c1,t1,Uno,Español,Otoño,8/17/2026,12/18/2026\n"
        "1,c2,t1,Dos,Espan\u0303ol,Oton\u0303o,8/17/2026,12/18/2026"
    )
    enrollments = FILES["enrollments"]

    roster = normalized(clever(tmp_path, sections=sections, enrollments=enrollments))

    assert {"c1": (course := "course-named/1/Espa@c3@b1ol"), "c2": course} == column(
        roster.tables["classes"].frame, "courseSourcedId"
    )
    assert ["term/Oto@c3@b1o/2026-08-17/2026-12-18"] == [
        one
        for (one,) in lines(roster, "academicSessions", "sourcedId")
        if one and one.startswith("term")
    ]
    assert "described_twice" not in rules(roster.findings)
