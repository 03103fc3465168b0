"""Which layout a drop is in is recognized by its files and columns, told with the reason, and refused where it is not certain."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.drops import read
from tests.layouts.clever import clever
from tests.layouts.golden.text import SAMPLES
from tests.layouts.normalizing import normalized, written
from transforms.sources import LAYOUTS, ONEROSTER, SOURCES, recognize


@pytest.mark.parametrize("code", LAYOUTS)
def test_each_sample_is_recognised(code: str) -> None:
    """With the files and columns that say so."""
    found = recognize("auto", read(SAMPLES / code))

    assert code == found.layout
    assert found.findings.notices[0].detail.startswith(f"{code}: ")


@pytest.mark.parametrize("sample", ["oneroster_1_1", "oneroster_1_2", "learning"])
def test_oneroster_says_itself_what_it_is(sample: str) -> None:
    """By its manifest, or by the columns that its files begin with; nothing need be configured."""
    found = recognize("auto", read(SAMPLES / sample))

    assert (ONEROSTER, ()) == (found.layout, found.findings.notices)


@pytest.mark.parametrize("code", SOURCES)
def test_a_named_layout_is_taken_at_its_word(code: str, tmp_path: Path) -> None:
    """Nothing is guessed where the feed file says it."""
    assert code == recognize(code, read(written(tmp_path, anything="a,b\n1,2"))).layout


def test_the_spelling_of_names_does_not_matter(tmp_path: Path) -> None:
    """Case, spaces, hyphens and underscores differ from tool to tool."""
    drop = written(
        tmp_path,
        Schools="school id,SCHOOL-NAME\n1,Elm",
        STUDENTS="SchoolId,student_id\n1,2",
        teachers="School_id,Teacher_id\n1,3",
        sections="School_id,Section_id,Teacher_id\n1,4,3",
        enrollments="Student_id,Section_id,School_id\n2,4,1",
    )

    assert "clever" == recognize("auto", read(drop)).layout


def test_what_fits_nothing_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """A person learns what it lacks, and what to do."""
    drop = written(
        tmp_path,
        schools="School_id,School_name\n1,Elm",
        students="School_id,Student_id\n1,2",
        pupils="a\n1",
    )

    found = recognize("auto", read(drop))

    assert found.layout is None
    assert ["layout_unknown"] == found.findings.fatal["rule"].to_list()
    assert (
        "nearest is clever, but for teachers.csv; sections.csv; enrollments.csv"
        == found.findings.fatal["value"][0]
    )


def test_files_that_nobody_knows_are_named(tmp_path: Path) -> None:
    """Without any layout near."""
    found = recognize("auto", read(written(tmp_path, pupils="a\n1", lessons="b\n1")))

    assert "there are lessons.csv, pupils.csv" == found.findings.fatal["value"][0]


def test_a_part_of_a_canvas_import_is_enough(tmp_path: Path) -> None:
    """Canvas needs none of its files."""
    drop = written(tmp_path, enrollments="section_id,user_id,role,status\n1,2,student,active")

    assert "canvas" == recognize("auto", read(drop)).layout


def test_two_files_that_are_one_refuse_the_drop(tmp_path: Path) -> None:
    """`student-s.csv` beside `students.csv`: nobody knows which is meant, and neither is read."""
    drop = written(
        clever(tmp_path), **{"student-s": "School_id,Student_id,First_name,Last_name\n1,s9,Zoe,Kim"}
    )

    found = normalized(drop, "clever").findings

    assert {"file_twice"} <= set(found.fatal["rule"])
    assert "layout_file_missing" in found.fatal["rule"].to_list()


def test_a_clever_drop_that_lacks_a_file_is_not_taken_for_oneroster(tmp_path: Path) -> None:
    """Both have an enrollments.csv; OneRoster's begins with `sourcedId`. What is missing is named."""
    drop = clever(tmp_path)
    (drop / "sections.csv").unlink()

    found = recognize("auto", read(drop))

    assert "nearest is clever, but for sections.csv" == found.findings.fatal["value"][0]


@pytest.mark.parametrize(
    "files",
    [
        {"Courses": "Course_Number,Course_Name\nMA1,Algebra", "Students": "ID,Last_Name\n1,Lee"},
        {"Users": "User ID,First Name,Last Name,Role\n1,Ann,Lee,Student"},
    ],
)
def test_a_file_that_is_called_as_one_of_oneroster_makes_no_oneroster(
    files: dict[str, str], tmp_path: Path
) -> None:
    """Many systems have users and courses: `roster map` is the next step, and not OneRoster's columns."""
    found = recognize("auto", read(written(tmp_path, **files)))

    assert found.layout is None
    assert ["layout_unknown"] == found.findings.fatal["rule"].to_list()
