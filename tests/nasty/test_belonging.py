"""What records say of each other, and do not agree upon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judging import accepted, errors, judged, judged_drop, rules
from tests.rosters import DISTRICT, Row, Rows, changed, delta, district, drop, without

BOTH = {"class_without_teacher", "class_without_student"}


def with_enrollments(*rows: Row) -> Rows:
    """Give the district with further enrollments in its first class."""
    first = DISTRICT["enrollments"][2]
    return {**district(), "enrollments": [*DISTRICT["enrollments"], *(first | row for row in rows)]}


def mains(folder: Path, rows: Rows) -> tuple[list[str], set[str]]:
    """Give the enrollments of main teachers, and the rules that were broken."""
    checked = judged(folder, rows)
    return sorted(
        checked.standing["enrollments"].accepted.filter(primary="true")["sourcedId"]
    ), rules(checked)


def test_a_class_has_one_main_teacher(tmp_path: Path) -> None:
    """Whichever row comes first in the file: the same one stays every night."""
    rows = with_enrollments({"sourcedId": "e0", "userSourcedId": "bo"})
    turned = {**rows, "enrollments": rows["enrollments"][::-1]}

    assert (["e0"], {"primary_twice"}) == mains(tmp_path, rows) == mains(tmp_path, turned)


def test_a_student_is_no_second_main_teacher(tmp_path: Path) -> None:
    """That `primary` is set for a student is reported by a rule of its own."""
    assert (["e1", "e3"], {"primary_not_teacher"}) == mains(
        tmp_path, changed(district(), "e1", primary="true")
    )


@pytest.mark.parametrize(
    ("first", "second", "stay"),
    [
        ({"endDate": "2026-10-01"}, {"beginDate": "2026-10-01"}, ["e3", "e4"]),
        ({"endDate": "2026-10-02"}, {"beginDate": "2026-10-01"}, ["e3"]),
        (
            {"beginDate": "2026-09-01", "endDate": "2026-10-01"},
            {"endDate": "2026-09-01"},
            ["e3", "e4"],
        ),
    ],
)
def test_a_main_teacher_may_follow_another(
    first: Row, second: Row, stay: list[str], tmp_path: Path
) -> None:
    """Two are too many only where they are there at one time."""
    rows = changed(
        with_enrollments({"sourcedId": "e4", "userSourcedId": "bo"} | second), "e3", **first
    )

    assert stay == mains(tmp_path, rows)[0]


def test_classes_without_teacher_or_student_are_told_and_loaded(tmp_path: Path) -> None:
    """Advisories, clubs and classes of next term look like that."""
    checked = judged(tmp_path, without(district(), "e1", "e2"))

    told = {
        one.rule: (one.count, one.examples) for one in checked.findings.notices if one.rule in BOTH
    }
    assert ["c1", "c2"] == accepted(checked, "classes")
    assert {
        "class_without_teacher": (1, ((2, "c2"),)),
        "class_without_student": (2, ((1, "c1"), (2, "c2"))),
    } == told


def test_a_class_whose_students_were_rejected_is_not_called_empty(tmp_path: Path) -> None:
    """There is one cause, and it is reported: the student has no role."""
    rows = without(district(), "r1")

    checked = judged(tmp_path, rows)

    told = {one.rule: one.count for one in checked.findings.notices if one.rule in BOTH}
    assert ["ana"] == checked.standing["users"].refused["sourcedId"].to_list()
    assert {"class_without_teacher": 1} == told  # c2, which never had one


@pytest.mark.parametrize("fault", ["no role", "no boolean"])
def test_a_reference_to_a_rejected_record_is_left_out(fault: str, tmp_path: Path) -> None:
    """The person is loaded without that agent, and nobody is sent to look for an id that is there."""
    rows = district()
    rows = without(rows, "r4") if fault == "no role" else changed(rows, "mum", enabledUser="maybe")

    checked = judged(tmp_path, rows)

    (notice,) = [one for one in checked.findings.notices if one.column == "agentSourcedIds"]
    assert ("reference_left_out", 1) == (notice.rule, notice.count)
    assert [None] == checked.standing["users"].accepted.filter(sourcedId="ana")[
        "agentSourcedIds"
    ].to_list()


def test_of_changes_nobody_can_say_who_teaches(tmp_path: Path) -> None:
    """A delta has those classes and enrollments only that changed."""
    rows = delta(with_enrollments({"sourcedId": "e0", "userSourcedId": "bo"}))

    checked = judged(tmp_path, rows, mode="delta")

    assert ["e0", "e3"] == sorted(
        checked.standing["enrollments"].accepted.filter(primary="true")["sourcedId"]
    )
    assert set() == {one.rule for one in checked.findings.notices}


def test_an_enrollment_is_in_the_school_of_its_class(tmp_path: Path) -> None:
    """The class is right, and the other school is reported."""
    checked = judged(tmp_path, changed(district(), "e1", schoolSourcedId="s2"))

    schools = checked.standing["enrollments"].accepted.select("sourcedId", "schoolSourcedId").rows()
    assert ({"school_of_class"}, [("e1", "s1"), ("e2", "s2"), ("e3", "s1")]) == (
        rules(checked),
        schools,
    )


def test_a_class_without_a_title_has_the_one_of_its_course(tmp_path: Path) -> None:
    """One SIS exports every class of its elementary schools so; without a course it is rejected."""
    rows = changed(changed(district(), "c1", title=""), "c2", title="", courseSourcedId="none")

    checked = judged(tmp_path, rows)

    titles = checked.standing["classes"].accepted.select("sourcedId", "title").rows()
    assert [("c1", "Math 5")] == titles
    assert {"title_of_course": 1} == {
        one.rule: one.count for one in checked.findings.notices if one.rule == "title_of_course"
    }


def test_whoever_returns_to_a_class_was_in_it_twice(tmp_path: Path) -> None:
    """Two spells are two enrollments, each with its days."""
    rows = district()
    rows["enrollments"][1]["endDate"] = "2026-10-01"
    rows["enrollments"].append(
        rows["enrollments"][1] | {"sourcedId": "e9", "beginDate": "2027-01-10", "endDate": ""}
    )

    checked = judged(tmp_path, rows)

    assert (set(), ["e1", "e2", "e3", "e9"]) == (rules(checked), accepted(checked, "enrollments"))


@pytest.mark.parametrize("column", ["beginDate", "endDate"])
def test_an_enrollment_may_lie_outside_its_term(column: str, tmp_path: Path) -> None:
    """Its days are its own; those of the term do not cut them."""
    checked = judged(tmp_path, changed(district(), "e2", **{column: "2031-01-10"}))

    assert ["2031-01-10"] == checked.standing["enrollments"].accepted.filter(sourcedId="e2")[
        column
    ].to_list()


def test_a_missing_school_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    """`Sch_S00002` beside `Sch_000002` is a typing error; what is meant, a person says."""
    rows = changed(
        changed(district(), "s2", sourcedId="Sch_000002"), "r2", orgSourcedId="Sch_000002"
    )
    rows = changed(
        changed(rows, "c2", schoolSourcedId="Sch_S00002"), "e2", schoolSourcedId="Sch_000002"
    )

    checked = judged(tmp_path, rows)

    told = [one.detail for one in checked.findings.notices if one.rule == "near_miss"]
    assert ("classes", "c2", "dangling") in errors(checked)
    assert ["'Sch_S00002': did you mean 'Sch_000002'?"] == told


def test_ids_that_differ_by_a_digit_are_two_records(tmp_path: Path) -> None:
    """The next pupil in the list is not meant."""
    rows = changed(district(), "e2", userSourcedId="an2")

    assert "near_miss" not in rules(judged(tmp_path, rows))


def test_no_one_is_looked_for_where_nearly_all_are_missing(tmp_path: Path) -> None:
    """A file that was cut short is not a typing error in each row of another one."""
    lost: list[Row] = [
        {"sourcedId": f"e{number}", "userSourcedId": f"an{number}"} for number in range(10, 40)
    ]

    checked = judged(tmp_path, with_enrollments(*lost))

    assert (30, False) == (len(errors(checked)), "near_miss" in rules(checked))


def test_nothing_is_near_where_nothing_is(tmp_path: Path) -> None:
    """Without any class in the drop there is none to be named."""
    rows = district()
    rows["classes"] = []

    assert "near_miss" not in rules(judged(tmp_path, rows))


def test_one_id_may_name_records_of_two_kinds(tmp_path: Path) -> None:
    """Ids are those of a kind: a class and its course may share one."""
    rows = changed(district(), "e2", classSourcedId="co")
    rows["classes"][1]["sourcedId"] = "co"

    checked = judged(tmp_path, rows)

    assert (set(), ["c1", "co"], ["co"]) == (
        rules(checked),
        accepted(checked, "classes"),
        accepted(checked, "courses"),
    )


def test_a_user_who_is_the_own_agent_is_taken_at_their_word(tmp_path: Path) -> None:
    """Adults who act for themselves are written so."""
    checked = judged(tmp_path, changed(district(), "bo", agentSourcedIds="bo"))

    assert ["bo"] == checked.standing["users"].accepted.filter(sourcedId="bo")[
        "agentSourcedIds"
    ].to_list()


def test_without_the_file_of_roles_every_user_is_refused(tmp_path: Path) -> None:
    """And so is what belongs to them; users of whom no one knows what they are go nowhere."""
    rows = district()
    rows["roles"] = []

    checked = judged(tmp_path, rows)

    assert ([], {"role_missing", "parent_rejected"}) == (
        accepted(checked, "users"),
        {one for _, _, one in errors(checked)},
    )


def test_a_session_may_end_before_it_begins(tmp_path: Path) -> None:
    """It is reported and loaded: records that refer to it must not wait for a typing error."""
    checked = judged(tmp_path, changed(district(), "t1", endDate="2025-01-15"))

    assert ({"period_empty"}, ["t1", "y"]) == (
        rules(checked),
        accepted(checked, "academicSessions"),
    )


UNREADABLE = ("orgs", "roles", "users", "courses", "classes")


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_is_the_one_cause(name: str, tmp_path: Path) -> None:
    """Whatever needs its records is rejected, and each row names the file and its fault."""
    (drop(tmp_path, district()) / f"{name}.csv").write_bytes(b"PK\x03\x04" + bytes(99))

    found = judged_drop(tmp_path).findings.errors

    causes, others = found.filter(severity="fatal"), found.filter(severity="error")
    assert [(f"{name}.csv", "not_csv")] == causes.select("file", "rule").rows()
    assert {f"{name}.csv: not_csv"} == set(others["value"])
    assert {"parent_rejected", "part_rejected"} >= set(others["rule"])
    assert others.height
