"""A fault is reported once, where it is, and what is right by the format's own rules is no fault.

Each test has both sides: what is no alarm, and the alarm that must still come.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from tests.judging import ALWAYS, accepted, judged, judged_drop
from tests.layouts import normalizing
from tests.layouts.clever import clever
from tests.layouts.normalizing import normalized, written
from tests.rosters import DISTRICT, changed, csv_text, delta, district, drop, without
from transforms.checks import Checked
from transforms.findings import Findings


def counted(findings: Findings) -> Counter[str]:
    """Count all findings by rule."""
    told = Counter(findings.errors["rule"])
    for notice in findings.notices:
        told[notice.rule] += notice.count
    return told


def told(checked: Checked) -> Counter[str]:
    """Count the findings by rule, without those that the tests' district always has."""
    return Counter({one: n for one, n in counted(checked.findings).items() if one not in ALWAYS})


@pytest.mark.parametrize(
    ("name", "rule"), [("demographics", "no_rows_optional"), ("enrollments", "no_rows")]
)
def test_only_a_file_that_every_roster_needs_may_not_be_empty(
    name: str, rule: str, tmp_path: Path
) -> None:
    """Some systems write the files of a grade book that nobody uses, and may call them absent."""
    drop(tmp_path, district())
    (tmp_path / f"{name}.csv").write_text(csv_text(name, []), newline="")

    assert {rule: 1} == told(judged_drop(tmp_path))

    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(f"file.{name},bulk", f"file.{name},absent"))
    unexpected = {"manifest_file_unexpected"} if name == "enrollments" else set()
    assert {rule, *unexpected} == {*told(judged_drop(tmp_path))}


def test_an_empty_drop_is_one_finding(tmp_path: Path) -> None:
    """And not one for each file."""
    drop(tmp_path, {"orgs": DISTRICT["orgs"], "users": DISTRICT["users"]})
    for name in ("orgs", "users"):
        (tmp_path / f"{name}.csv").write_text(csv_text(name, []), newline="")

    assert {"drop_empty": 1} == told(judged_drop(tmp_path))
    empty = written(tmp_path / "canvas", users="user_id,login_id,status", accounts=ACCOUNTS)
    assert "no_rows_optional" in counted(normalized(empty).findings)


ACCOUNTS = "account_id,parent_account_id,name,status\nA,,Elm School,active"


@pytest.mark.parametrize(
    ("cells", "role", "rules"),
    [
        ({"givenName": "TIA", "familyName": "Nunez"}, "parent", {"records_of_one_person": 2}),
        ({"givenName": "Eva"}, "parent", {"email_shared": 2, "username_shared": 2}),
        (
            {"givenName": "Tia", "familyName": "Núñez"},
            "teacher",
            {"email_shared": 2, "username_shared": 2},
        ),
        (
            {"givenName": "Tia", "familyName": "Núñez"},
            "student",
            {"email_shared": 2, "username_shared": 2},
        ),
    ],
    ids=["one person in two roles", "two people", "two records in one role", "a student"],
)
def test_a_person_may_have_a_record_for_each_role(
    cells: dict[str, str], role: str, rules: dict[str, int], tmp_path: Path
) -> None:
    """So Infinite Campus keeps a teacher who is also a guardian; two people are an alarm."""
    rows = changed(district(), "mum", email="tia@example.edu", username="tia", **cells)

    assert rules == told(judged(tmp_path, changed(rows, "r4", role=role)))


def test_a_moment_that_nobody_reads_has_no_spelling(tmp_path: Path) -> None:
    """In a bulk file it is filled in vain, which is one finding; in a delta it counts."""
    moment = "2026-11-24T01:00:00.0000000+01:00"
    bulk = judged(tmp_path, changed(district(), "e1", dateLastModified=moment))
    changes = {"orgs": [row | {"dateLastModified": moment} for row in delta(district())["orgs"]]}

    assert {"status_in_bulk": 1} == told(bulk)
    assert {"respelled": 3} == told(judged(tmp_path, changes, mode="delta"))


@pytest.mark.parametrize(
    ("cells", "rule"),
    [({"userSourcedId": "nobody"}, "dangling"), ({"role": "instructor"}, "vocabulary")],
)
def test_a_class_whose_teacher_is_rejected_is_not_reported_too(
    cells: dict[str, str], rule: str, tmp_path: Path
) -> None:
    """The row of the teacher is; without any row the class has no teacher."""
    there = counted(judged(tmp_path, changed(district(), "e3", **cells)).findings)
    nowhere = counted(judged(tmp_path, without(district(), "e3")).findings)

    assert (1, 1) == (there[rule], there["class_without_teacher"])
    assert 2 == nowhere["class_without_teacher"]


def test_a_school_that_is_none_is_reported_at_the_class(tmp_path: Path) -> None:
    """An enrollment follows its class, whatever it says; one of a class that is not there is judged by itself."""
    other = judged(tmp_path, changed(district(), "e1", schoolSourcedId="d"))
    of_class = changed(changed(district(), "c1", schoolSourcedId="d"), "e1", schoolSourcedId="d")
    both = judged(tmp_path, changed(of_class, "e3", schoolSourcedId="d"))

    assert {"school_of_class": 1} == told(other)
    assert {"wrong_type": 1} == told(both)


def test_a_canvas_course_may_be_in_the_account_above_all(tmp_path: Path) -> None:
    """Its documentation puts a course without an account there; the types of accounts are roster's conclusion."""
    folder = written(
        tmp_path,
        accounts=f"{ACCOUNTS}\nB,A,Elm Annex,active",
        courses="course_id,short_name,long_name,account_id,status\nC,ART,Art,,active\nD,BIO,Bio,B,active",
        sections="section_id,course_id,name,status\nS,C,Art 1,active\nT,D,Bio 1,active",
    )

    checked = normalizing.judged(normalized(folder))

    assert ["S", "T"] == accepted(checked, "classes")
    assert 0 == counted(checked.findings)["wrong_type"]


def test_an_org_that_a_role_needs_is_missed_once(tmp_path: Path) -> None:
    """The role is rejected for it, and the person with it; an org that no role names is left out."""
    once = changed(district(), "r4", orgSourcedId="s9")
    once = changed(once, "mum", primaryOrgSourcedId="s9")
    alone = changed(district(), "mum", primaryOrgSourcedId="s9")

    found = told(judged(tmp_path, without(once, "ana", "r1", "e1")))
    assert (1, 0) == (found["dangling"], found["dangling_optional"])
    assert {"dangling_optional": 1} == told(judged(tmp_path, alone))


@pytest.mark.parametrize("cells", [{"enabledUser": "perhaps"}, {"status": "tobedeleted"}])
def test_a_reference_to_a_rejected_record_says_so(cells: dict[str, str], tmp_path: Path) -> None:
    """It is in the export; one that is in none is said to be missing."""
    rejected = told(judged(tmp_path, changed(district(), "mum", **cells)))
    missing = told(judged(tmp_path, without(district(), "mum", "r4")))

    assert (1, 0) == (rejected["reference_left_out"], rejected["dangling_optional"])
    assert {"dangling_optional": 1} == missing


def test_a_record_below_a_deleted_one_says_so(tmp_path: Path) -> None:
    """The export has its class, and deletes it."""
    deleted = told(judged(tmp_path, changed(district(), "c2", status="tobedeleted")))
    missing = told(judged(tmp_path, changed(district(), "e2", classSourcedId="nowhere")))

    assert {"deleted_in_bulk": 1, "parent_deleted": 1} == deleted
    assert {"dangling": 1} == missing


SECTIONS = "School_id,Section_id,Teacher_id,Name,Term_name,Term_start,Term_end"


def test_classes_are_without_a_term_only_beside_classes_with_one(tmp_path: Path) -> None:
    """Files that have no terms say nothing by it, and the school year is a note."""
    rows = f"{SECTIONS}\n1,c1,t1,Art,,,\n1,c2,t1,Bio,"
    none = counted(normalized(clever(tmp_path / "none", sections=f"{rows},,")).findings)
    some = f"{rows}Fall,8/17/2026,12/18/2026"
    one = counted(normalized(clever(tmp_path / "one", sections=some)).findings)

    assert (1, 0) == (none["year_made"], none["term_missing"])
    assert 1 == one["term_missing"]


def test_a_missing_class_has_no_missing_school(tmp_path: Path) -> None:
    """Where files of enrollments have no schools; in OneRoster's own, a blank school is a fault of its own."""
    folder = written(
        tmp_path / "sds",
        orgs="sourcedId,name,type\ns1,Elm,school",
        users="sourcedId,orgSourcedIds,username,role\nu1,s1,ana,student",
        classes="sourcedId,orgSourcedId,title\nc1,s1,Art",
        enrollments="classSourcedId,userSourcedId,role\nc9,u1,student",
    )
    errors = normalizing.judged(normalized(folder)).findings.errors.filter(
        pl.col("entity") == "enrollments"
    )
    blank = changed(district(), "e2", classSourcedId="nowhere", schoolSourcedId="")

    assert "schoolSourcedId" not in set(errors["column"])
    assert {"dangling": 1, "required": 1} == told(judged(tmp_path / "own", blank))


PEOPLE = "School_id,Student_id,First_name,Last_name,DOB,Gender"


def test_nobody_differs_who_is_rejected(tmp_path: Path) -> None:
    """Of two people with one id no value was used; of one person with two birth dates, one was."""
    two = f"{PEOPLE}\n1,s1,Dean,Gray,3/3/2012,M\n1,s1,Dana,Gray,4/3/2012,F"
    one = f"{PEOPLE}\n1,s1,Dana,Gray,3/3/2012,F\n2,s1,Dana,Gray,4/3/2012,F"

    assert "person_differs" not in counted(
        normalized(clever(tmp_path / "2", students=two)).findings
    )
    assert 1 == counted(normalized(clever(tmp_path / "1", students=one)).findings)["person_differs"]


@pytest.mark.parametrize(
    ("words", "count"), [(("active", "deleted"), 1), (("deleted", "active"), 0)]
)
def test_a_record_is_not_deleted_and_kept_in_silence(
    words: tuple[str, str], count: int, tmp_path: Path
) -> None:
    """It stays either way; rows in the other order bring it back."""
    first, second = words
    folder = written(
        tmp_path,
        courses=f"course_id,short_name,long_name,status\nC,ART,Art,{first}\nC,ART,Art,{second}",
        accounts=ACCOUNTS,
    )

    checked = normalizing.judged(normalized(folder))

    assert (["C"], count) == (
        accepted(checked, "courses"),
        counted(checked.findings)["deleted_and_kept"],
    )
