"""Cells that are cleaned in layouts: each is reported once, under the column of the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from connectors.oneroster.sandbox import Sandbox
from tests.layouts.clever import clever
from tests.layouts.normalizing import column, normalized
from tests.layouts.test_nights import synced
from tests.serving import Served
from transforms.findings import Findings, Notice, with_source_columns

SECTIONS = (
    "School_id,Section_id,Teacher_id,Name,Course_name,Course_number,Term_name,Term_start,Term_end\n"
    '1,c1,t1,"Art ",Art,7,Fall,8/17/2026,12/18/2026\n1,c2,t1,Bio," Biology",8,N/A,,'
)


def cleaned(drop: Path) -> list[tuple[str, str, str, int, tuple[tuple[int | None, str], ...]]]:
    """What is reported about cells that were cleaned."""
    return [
        (one.rule, one.file, one.column, one.count, one.examples)
        for one in normalized(drop).findings.notices
        if one.rule in ("padded", "null_words")
    ]


def test_a_padded_cell_is_reported_once_under_its_own_column(tmp_path: Path) -> None:
    """A name becomes the title of a class, and a course's where there is none; it is one cell."""
    assert [
        ("null_words", "sections.csv", "Term_name", 1, ((2, "N/A"),)),
        ("padded", "sections.csv", "Course_name", 1, ((2, " Biology"),)),
        ("padded", "sections.csv", "Name", 1, ((1, "Art "),)),
    ] == sorted(cleaned(clever(tmp_path, sections=SECTIONS)))


def test_a_person_may_be_named_null(tmp_path: Path) -> None:
    """A required name is never taken for nothing, and nothing is reported."""
    students = "School_id,Student_id,First_name,Last_name,Grade\n1,s1,Ann,Null,6\n1,s2,Bo,Ray,7"
    drop = clever(tmp_path, students=students)

    assert [] == cleaned(drop)
    assert "Null" == column(normalized(drop).tables["users"].frame, "familyName")["s1"]


def test_people_read_of_it_in_the_words_of_the_file(sandbox: Sandbox, tmp_path: Path) -> None:
    """Not of Term_name, which is the title of another record of the same row."""
    at = Served(sandbox, tmp_path / "state")
    sections = SECTIONS.replace("12/18/2026", "winter")

    run = synced(at, clever(tmp_path / "drop", sections=sections), command="check")

    said = " ".join(run.err.split())
    assert "sections.csv Name: row 1" in said
    assert "sections.csv endDate (Term_end): row 1" in said
    assert "sections.csv Course_name: row 2" in said


def test_a_cell_of_two_records_is_reported_once() -> None:
    """The subject of a section is that of its course and of its class; other cells stay apart."""
    subject = Notice("target_value", "sections.csv", "subjects", 1, "", ((1, "Art"),), "courses")
    of_classes = replace(subject, entity="classes", count=3)
    grades = replace(subject, column="grades", entity="classes")
    spelt = {
        ("sections.csv", "", "subjects"): "Subject",
        ("sections.csv", "", "grades"): "Grade",
    }

    found = with_source_columns(Findings(notices=(subject, of_classes, grades, grades)), spelt)

    assert [("subjects (Subject)", 3), ("grades (Grade)", 1)] == [
        (one.column, one.count) for one in found.notices
    ]
