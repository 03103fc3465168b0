"""One person in several rows, files or schools is one user with several roles; what contradicts itself is refused."""

from __future__ import annotations

from pathlib import Path

from tests.layouts.clever import clever
from tests.layouts.normalizing import column, judged, lines, normalized, rules, written
from transforms.layouts.ids import DigestIds

STUDENTS = "School_id,Student_id,First_name,Last_name,Grade\n"
ROLES = ("userSourcedId", "orgSourcedId", "role", "roleType")


def test_a_student_of_two_schools_is_one_user(tmp_path: Path) -> None:
    """With a role in each, and the grades of both."""
    roster = normalized(
        clever(tmp_path, students=f"{STUDENTS}1,s1,Ann,Lee,6\n2,s1,Ann,Lee,7\n1,s2,Bo,Ray,7")
    )

    assert [("s1", "1", "student", "primary"), ("s1", "2", "student", "primary")] == [
        role for role in lines(roster, "roles", *ROLES) if role[0] == "s1"
    ]
    assert ("1", "06,07") == (
        column(roster.tables["users"].frame, "primaryOrgSourcedId")["s1"],
        column(roster.tables["users"].frame, "grades")["s1"],
    )
    assert not judged(roster).findings.errors.height


def test_a_teacher_who_is_staff_too_has_both_roles(tmp_path: Path) -> None:
    """The one that comes first is the primary one of the school."""
    roster = normalized(
        clever(
            tmp_path, staff="School_id,Staff_id,First_name,Last_name,Role\n1,t1,Cy,Dow,Principal"
        )
    )

    assert [("t1", "1", "teacher", "primary"), ("t1", "1", "principal", "secondary")] == [
        role for role in lines(roster, "roles", *ROLES) if role[0] == "t1"
    ]


def test_two_names_under_one_id_are_two_people_and_both_refused(tmp_path: Path) -> None:
    """Nobody knows which of them is meant, in whatever file."""
    roster = normalized(clever(tmp_path, students=f"{STUDENTS}1,s1,Ann,Lee,6\n1,t1,Zoe,Kim,7"))

    assert {"t1"} == set(judged(roster).standing["users"].refused["sourcedId"])


def test_what_two_schools_say_differently_of_one_person_is_told(tmp_path: Path) -> None:
    """The first word counts."""
    students = "School_id,Student_id,First_name,Last_name,Student_email\n1,s1,Ann,Lee,ann@example.edu\n2,s1,Ann,Lee,lee@example.edu"

    roster = normalized(
        clever(tmp_path, students=students, enrollments="School_id,Section_id,Student_id\n1,c1,s1")
    )

    assert "ann@example.edu" == column(roster.tables["users"].frame, "email")["s1"]
    assert "person_differs" in rules(roster.findings)


def test_a_row_that_was_exported_twice_is_merged_and_counted(tmp_path: Path) -> None:
    """It is the same student in the same school."""
    checked = judged(
        normalized(
            clever(tmp_path, students=f"{STUDENTS}1,s1,Ann,Lee,6\n1,s1,Ann,Lee,6\n1,s2,Bo,Ray,7")
        )
    )

    assert (1, 0) == (
        checked.standing["users"].counts["merged"],
        checked.standing["users"].counts["rejected"],
    )
    assert "s1" in set(checked.standing["users"].accepted["sourcedId"])


def test_who_has_left_one_school_and_is_in_another_has_not_left(tmp_path: Path) -> None:
    """An inactive row says so of its own school only, and that the role there has ended."""
    roster = normalized(
        written(
            tmp_path,
            School="SIS ID,Name\n1,Elm\n2,Oak",
            Section="SIS ID,School SIS ID,Section Name\nc1,1,Art",
            Student="SIS ID,School SIS ID,Username,First Name,Last Name,Status\ns1,1,ann,Ann,Lee,Inactive\ns1,2,ann,Ann,Lee,Active",
            Teacher="SIS ID,School SIS ID,Username,First Name,Last Name\nt1,1,cy,Cy,Dow",
            StudentEnrollment="Section SIS ID,SIS ID\nc1,s1",
            TeacherRoster="Section SIS ID,SIS ID\nc1,t1",
        )
    )

    assert (None, "2") == lines(roster, "users", "status", "primaryOrgSourcedId")[0]
    assert [
        ("s1", "2", "student", "primary", None),
        ("s1", "1", "student", None, "tobedeleted"),
    ] == [role for role in lines(roster, "roles", *ROLES, "status") if role[0] == "s1"]


CANVAS = {
    "accounts": "account_id,parent_account_id,name,status\nE,,Elm,active\nO,,Oak,active",
    "terms": "term_id,name,status,start_date,end_date\nT,Fall,active,2026-08-01,2026-12-20",
    "courses": "course_id,short_name,long_name,account_id,term_id,status\nC,Art,Art,E,T,active\nD,Bio,Bio,O,T,active",
    "sections": "section_id,course_id,name,status\nS,C,Art 1,active\nV,D,Bio 1,active",
    "users": "user_id,login_id,first_name,last_name,status\nu1,ann,Ann,Lee,active\nu2,bo,Bo,Ray,active",
    "enrollments": "section_id,user_id,role,status\nS,u1,teacher,active\nV,u1,student,active\nV,u2,student,active",
}


def test_people_without_a_role_have_those_of_their_classes(tmp_path: Path) -> None:
    """Canvas says no role of a user: who teaches in one school and studies in another has a role in each."""
    roster = normalized(written(tmp_path, **CANVAS))

    assert [
        ("u1", "E", "teacher", "primary"),
        ("u1", "O", "student", "primary"),
        ("u2", "O", "student", "primary"),
    ] == lines(roster, "roles", *ROLES)


def test_who_is_in_no_class_and_has_no_role_is_refused(tmp_path: Path) -> None:
    """Nobody can say what they are."""
    checked = judged(
        normalized(
            written(
                tmp_path,
                **{**CANVAS, "enrollments": "section_id,user_id,role,status\nS,u9,teacher,active"},
            )
        )
    )

    assert {"u1", "u2"} == set(checked.standing["users"].refused["sourcedId"])


def sds(**files: str) -> dict[str, str]:
    """A drop of School Data Sync V1: a student who left Elm for Oak."""
    return {
        "School": "SIS ID,Name\n1,Elm\n2,Oak",
        "Section": "SIS ID,School SIS ID,Section Name\nc1,1,Art\nc2,2,Bio",
        "Student": "SIS ID,School SIS ID,Username,First Name,Last Name,Status,Birthdate\n"
        "s1,1,ann,Ann,Lee,Inactive,1/2/2010\ns1,2,ann,Ann,Lee,Active,1/3/2010\ns2,1,bo,Bo,Ray,Inactive,",
        "Teacher": "SIS ID,School SIS ID,Username,First Name,Last Name\nt1,1,cy,Cy,Dow",
        "StudentEnrollment": "Section SIS ID,SIS ID\nc1,s1\nc2,s1\nc2,s2",
        "TeacherRoster": "Section SIS ID,SIS ID\nc1,t1",
        **files,
    }


def test_who_moves_to_another_school_keeps_the_classes_there(tmp_path: Path) -> None:
    """Enrollments end with the row of their own school; without one, when all rows of the person have ended."""
    roster = normalized(written(tmp_path, **sds()))

    ended = column(roster.tables["enrollments"].frame, "status")
    assert {
        "enrollment/c1/s1/student": "tobedeleted",
        "enrollment/c2/s1/student": None,
        "enrollment/c2/s2/student": "tobedeleted",
        "enrollment/c1/t1/teacher": None,
    } == ended
    assert [("s1", None, "2010-01-03")] == lines(
        roster, "demographics", "sourcedId", "status", "birthDate"
    )


def test_a_contact_is_nobody_with_the_same_id(tmp_path: Path) -> None:
    """Ids of contacts are their own; two spellings of one address are one contact; no word makes one a principal."""
    students = (
        "School_id,Student_id,First_name,Last_name,Contact_name,Contact_email,Contact_sis_id,Contact_relationship\n"
        "1,s1,Ann,Lee,Eve Lee,,s2,Principal\n1,s2,Bo,Ray,Max Ray,Max@example.edu,,Other\n1,s2,Bo,Ray,Max Ray,max@example.edu,,Other\n"
        "1,s3,Di,Kim,,nobody@example.edu,,"
    )

    roster = normalized(clever(tmp_path, students=students))

    max_, nobody = map(
        DigestIds().id_of, ("contact/max@40example.edu/Max@20Ray", "contact/nobody@40example.edu")
    )
    assert {
        "s1",
        "s2",
        "s3",
        "contact/s2",
        max_,
        nobody,
        "t1",
        "a1",
    } == set(roster.tables["users"].frame["sourcedId"])
    refused = judged(roster).standing["users"].refused["sourcedId"]
    assert {"contact/s2", nobody} == set(refused)


def test_whoever_teaches_a_class_twice_teaches_it_once(tmp_path: Path) -> None:
    """As its first teacher, in whatever order the columns or the rows have them."""
    sections = "School_id,Section_id,Teacher_id,Teacher_2_id,Name\n1,c1,t1,t1,Art\n1,c2,t1,t2,Bio\n1,c2,t2,t1,Bio"
    teachers = "School_id,Teacher_id,First_name,Last_name\n1,t1,Cy,Dow\n1,t2,Ed,Fry"

    checked = judged(normalized(clever(tmp_path, sections=sections, teachers=teachers)))

    taught = (
        checked.standing["enrollments"]
        .accepted.filter(role="teacher")
        .select("classSourcedId", "userSourcedId", "primary")
    )
    assert [("c1", "t1", "true"), ("c2", "t1", "true")] == [
        row for row in taught.rows() if row[1] == "t1"
    ]


def test_the_order_of_rows_changes_nobody(tmp_path: Path) -> None:
    """Of two schools, contacts or addresses the same one is taken, whichever row comes first."""
    head, *rows = [
        "School_id,Student_id,First_name,Last_name,Student_email,Contact_name,Contact_sis_id",
        "1,s1,Ann,Lee,a@example.edu,Eve Lee,g1",
        "2,s1,Ann,Lee,b@example.edu,Max Lee,g2",
        "1,s1,Ann,Lee,c@example.edu,Zoe Lee,g3",
    ]

    here, there = (
        normalized(clever(tmp_path / str(at), students="\n".join([head, *order])))
        for at, order in enumerate((rows, rows[::-1]))
    )

    columns = ("sourcedId", "email", "primaryOrgSourcedId", "agentSourcedIds")
    assert sorted(lines(here, "users", *columns), key=str) == sorted(
        lines(there, "users", *columns), key=str
    )


def test_courses_by_number_by_name_and_by_class_are_three(tmp_path: Path) -> None:
    """A number may be a name somewhere else."""
    sections = "School_id,Section_id,Teacher_id,Name,Course_number,Course_name\n1,c1,t1,Art,101,\n1,101,t1,Bio,,\n1,c3,t1,Law,,101"

    roster = normalized(clever(tmp_path, sections=sections))

    assert {"course/1/101", "course-of/1/101", "course-named/1/101"} == set(
        roster.tables["courses"].frame["sourcedId"]
    )
