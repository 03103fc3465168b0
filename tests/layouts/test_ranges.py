"""Students and staff who are numbered separately: two people with one id both arrive, and stay who they are."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.layouts.clever import clever
from tests.layouts.normalizing import column, judged, lines, normalized, rules, written
from tests.layouts.test_nights import synced
from tests.running import Run
from tests.serving import Served
from transforms.layouts import Layout
from transforms.layouts.expressions import constant, text, texts
from transforms.layouts.ids import DigestIds
from transforms.layouts.layout import File, rows
from transforms.roster import Roster

STUDENTS = "School_id,Student_id,First_name,Last_name,Grade,DOB,Student_email\n"
TEACHERS = "School_id,Teacher_id,First_name,Last_name,Teacher_email\n"
STAFF = "School_id,Staff_id,First_name,Last_name,Staff_email,Role\n"
ANN = "1,7,Ann,Lee,6,1/2/2014,ann@example.edu\n"
BO = "1,8,Bo,Ray,7,2/3/2013,bo@example.edu\n"
CY = "1,7,Cy,Dow,cy@example.edu\n"
ED = "1,9,Ed,Fry,ed@example.edu\n"
DROP = {
    "students": STUDENTS + ANN + BO,
    "teachers": TEACHERS + CY + ED,
    "staff": STAFF + "1,7,Cy,Dow,cy@example.edu,Principal\n1,a1,Di,Fox,di@example.edu,Counselor",
    "sections": "School_id,Section_id,Teacher_id,Teacher_2_id,Name\n1,c1,7,9,Art\n1,c2,9,,Bio",
    "enrollments": "School_id,Section_id,Student_id\n1,c1,7\n1,c1,8\n1,c2,7",
}
ANN_IS, CY_IS = "7", "teachers/7"


def names(roster: Roster) -> dict[str, str]:
    """Return the given name of each person by id."""
    return {str(one): str(name) for one, name in lines(roster, "users", "sourcedId", "givenName")}


def test_two_people_with_one_id_both_arrive(tmp_path: Path) -> None:
    """With all that is theirs: roles, demographics and classes. The file of the layout that comes first keeps the id."""
    roster = normalized(clever(tmp_path, **DROP))

    people = {"7": "Ann", "8": "Bo", "9": "Ed", "a1": "Di", "teachers/7": "Cy"}
    assert (people, []) == (names(roster), judged(roster).findings.errors.rows())
    assert {("7", "student"), ("teachers/7", "teacher"), ("teachers/7", "principal")} == {
        role for role in lines(roster, "roles", "userSourcedId", "role") if "7" in str(role[0])
    }
    assert [("7", "2014-01-02"), ("8", "2013-02-03")] == lines(
        roster, "demographics", "sourcedId", "birthDate"
    )
    assert {
        "enrollment/c1/teachers@2f7/teacher": "teachers/7",
        "enrollment/c1/9/teacher": "9",
        "enrollment/c2/9/teacher": "9",
        "enrollment/c1/7/student": "7",
        "enrollment/c1/8/student": "8",
        "enrollment/c2/7/student": "7",
    } == column(roster.tables["enrollments"].frame, "userSourcedId")


def test_the_order_of_rows_sets_nobody_else_apart(tmp_path: Path) -> None:
    """Only the files count."""
    turned = {
        name: "\n".join([lines_[0], *reversed(lines_[1:])])
        for name, lines_ in ((name, text_.strip().splitlines()) for name, text_ in DROP.items())
    }

    assert names(normalized(clever(tmp_path / "1", **DROP))) == names(
        normalized(clever(tmp_path / "2", **turned))
    )


APART, ONE, REFUSED = {"7": "Ann", "teachers/7": "Cy"}, {"7": "Ann"}, {"7"}
PAIRS: dict[str, tuple[str, str, dict[str, str] | set[str]]] = {
    "addresses differ": ("Ann,Lee,10,,ann@example.edu", "Cy,Dow,cy@example.edu", APART),
    "a child is no teacher": ("Ann,Lee,,1/2/2014,", "Cy,Dow,", APART),
    "a child of the same family name": ("Ann,Lee,,1/2/2014,", "Cy,Lee,", APART),
    "a student of 17": ("Ann,Lee,,1/2/2009,", "Cy,Dow,", REFUSED),
    "nothing to compare": ("Ann,Lee,6,,", "Cy,Dow,cy@example.edu", REFUSED),
    "addresses of one family name": ("Ann,Lee,11,,a@example.edu", "Cy,Lee,c@example.edu", REFUSED),
    "one person": ("Ann,Lee,12,,ann@example.edu", "ANN,Lee,lee@example.edu", ONE),
    "one address": ("Ann,Lee,12,,ann@example.edu", "Cy,Dow,Ann@example.edu", ONE),
}


@pytest.mark.parametrize(("student", "teacher", "expected"), PAIRS.values(), ids=PAIRS)
def test_only_people_who_cannot_be_one_are_set_apart(
    student: str, teacher: str, expected: dict[str, str] | set[str], tmp_path: Path
) -> None:
    """Whoever may be one person is merged or refused, as in one file."""
    roster = normalized(
        clever(
            tmp_path, students=f"{STUDENTS}1,7,{student}", teachers=f"{TEACHERS}1,7,{teacher}",
        )
    )  # fmt: skip

    if expected == REFUSED:
        assert expected == set(judged(roster).standing["users"].refused["sourcedId"])
    else:
        assert expected == {one: name for one, name in names(roster).items() if "7" in one}


def test_who_was_set_apart_stays_so_when_the_other_one_has_left(tmp_path: Path) -> None:
    """Also in another file, in references, and with the feed's prefix."""
    drop = clever(tmp_path, **{**DROP, "students": STUDENTS + BO})

    roster = normalized(drop, prefix="x-", people=frozenset({"x-teachers/7", "teachers/9"}))

    assert {"x-8": "Bo", "x-9": "Ed", "x-a1": "Di", "x-teachers/7": "Cy"} == names(roster)
    assert ("x-teachers/7", "x-c1", "teacher") in lines(
        roster, "enrollments", "userSourcedId", "classSourcedId", "role"
    )


def test_whoever_the_target_has_under_an_id_keeps_it(tmp_path: Path) -> None:
    """Its name there says who that is; without it, the feed file may name the file that is set apart."""
    drop = clever(tmp_path, **DROP)
    turned = {"students/7": "Ann", "7": "Cy"}

    known = normalized(drop, prefix="x-", holders={"x-7": "CY  DOW"})
    unknown = normalized(drop, holders={"7": "Gus Hill"})
    unknown_and_named = normalized(drop, holders={"7": "Gus Hill"}, set_apart=("students.csv",))
    named = normalized(drop, set_apart=("students.csv",))

    assert turned == {
        one.removeprefix("x-"): name for one, name in names(known).items() if "7" in one
    }
    assert {"7"} == set(judged(unknown).standing["users"].refused["sourcedId"])
    assert "id_of_two" in rules(unknown.findings)
    assert names(named) == names(unknown_and_named)
    assert turned == {one: name for one, name in names(named).items() if "7" in one}
    assert {"x-7"} == normalized(drop, prefix="x-").contested
    assert frozenset() == normalized(drop, people=frozenset({"teachers/7"})).contested


def test_whoever_was_erased_is_not_somebody_else_now(tmp_path: Path) -> None:
    """A teacher who was set apart and forgotten does not come again under the plain id."""
    erased = frozenset({sha256(b"teachers/7").hexdigest()})
    drop = clever(tmp_path, **{**DROP, "students": STUDENTS + BO})

    roster = normalized(drop, digests=DigestIds(forgotten=erased))

    assert "7" not in names(roster)


def test_a_student_who_leaves_takes_no_teacher_along(tmp_path: Path) -> None:
    """In School Data Sync, an inactive row is about the person of its file."""
    roster = normalized(
        written(
            tmp_path,
            School="SIS ID,Name\n1,Elm",
            Section="SIS ID,School SIS ID,Section Name\nc1,1,Art",
            Student="SIS ID,School SIS ID,Username,First Name,Last Name,Status\n7,1,ann,Ann,Lee,Inactive",
            Teacher="SIS ID,School SIS ID,Username,First Name,Last Name\n7,1,cy,Cy,Dow",
            StudentEnrollment="Section SIS ID,SIS ID\nc1,7",
            TeacherRoster="Section SIS ID,SIS ID\nc1,7",
        )
    )

    gone = {("7", "tobedeleted"), ("teacher/7", None)}
    assert gone == set(lines(roster, "users", "sourcedId", "status"))
    assert gone == set(lines(roster, "enrollments", "userSourcedId", "status"))


def test_a_row_that_does_not_fit_keeps_whoever_was_set_apart(tmp_path: Path) -> None:
    """Nobody counts as missing because of a damaged row."""
    drop = clever(tmp_path, **{**DROP, "teachers": TEACHERS + "1,7,Cy,Dow,cy@example.edu,more"})

    roster = normalized(drop, people=frozenset({"teachers/7"}))

    assert "teachers/7" in roster.tables["users"].lost["sourcedId"].to_list()


def test_no_id_of_the_source_becomes_that_of_somebody_else(tmp_path: Path) -> None:
    """Not even one that looks like the id of a person who was set apart."""
    drop = clever(tmp_path, **{**DROP, "teachers": TEACHERS + CY + "1,teachers/7,Ed,Fry,ed@example.edu"})  # fmt: skip

    first = normalized(drop)
    later = normalized(drop, people=frozenset({"teachers/7"}))

    for roster in (first, later):
        assert "Ed" == names(roster)["teachers/7"]
        assert {"7"} == set(judged(roster).standing["users"].refused["sourcedId"])


def test_apple_school_manager_has_two_ranges(tmp_path: Path) -> None:
    """Instructors are people of staff.csv, and rosters have students."""
    people = "person_id,person_number,first_name,last_name,email_address,sis_username,location_id"
    roster = normalized(
        written(
            tmp_path,
            locations="location_id,location_name\n1,Elm",
            students=f"{people},grade_level\n7,,Ann,Lee,ann@example.edu,ann,1,6",
            staff=f"{people}\n7,,Cy,Dow,cy@example.edu,cy,1",
            courses="course_id,course_number,course_name,location_id\nk,,Art,1",
            classes="class_id,class_number,course_id,instructor_id,location_id\nc1,,k,7,1",
            rosters="roster_id,class_id,student_id\nr1,c1,7",
        )
    )

    assert [("7", "student"), ("staff/7", "teacher")] == sorted(
        lines(roster, "enrollments", "userSourcedId", "role")
    )
    assert [("7", "student"), ("staff/7", "teacher")] == sorted(
        lines(roster, "roles", "userSourcedId", "role")
    )


ROSTER = File(
    "pupils",
    gives=(
        rows(
            "users",
            sourcedId=text("Pupil"),
            givenName=text("Given"),
            familyName=text("Family"),
            email=text("Mail"),
            agentSourcedIds=texts("Guardians"),
        ),
        rows("roles", userSourcedId=text("Pupil"), role=constant("student")),
        rows(
            "users",
            sourcedId=text("Guardian"),
            givenName=text("Guardian given"),
            familyName=text("Guardian family"),
            email=text("Guardian mail"),
        ),
        rows("roles", userSourcedId=text("Guardian"), role=constant("guardian")),
    ),
)
MARKS = File(
    "marks",
    gives=(
        rows("enrollments", userSourcedId=text("Who"), classSourcedId=text("Class"), role=text("As")),
    ),
)  # fmt: skip


def test_a_mapping_of_a_district_has_ranges_too(tmp_path: Path) -> None:
    """Two columns of one file may be two ranges; a reference means whoever has its role, and nobody if that is unclear."""
    layout = Layout("own", "Own", files=(ROSTER, MARKS))
    drop = written(
        tmp_path,
        pupils="Pupil,Given,Family,Mail,Guardians,Guardian,Guardian given,Guardian family,Guardian mail\n"
        '7,Ann,Lee,ann@example.edu,"8, 7",7,Gus,Hill,gus@example.edu\n'
        "8,Bo,Ray,bo@example.edu,9,8,Ida,Ray,ida@example.edu\n"
        "9,Cy,Dow,cy@example.edu,9,9,Jo,Kay,jo@example.edu",
        marks="Who,Class,As\n7,c1,student\n8,c1,guardian\n9,c1,",
    )

    roster = normalized(drop, layout)

    assert {
        ("7", "Ann", "8,pupils.guardian/7"),
        ("8", "Bo", "pupils.guardian/9"),
        ("9", "Cy", "pupils.guardian/9"),
        ("pupils.guardian/7", "Gus", None),
        ("8", "Ida", None),
        ("pupils.guardian/9", "Jo", None),
    } == set(lines(roster, "users", "sourcedId", "givenName", "agentSourcedIds"))
    assert [("7",), ("8",), ("9 (of several people)",)] == lines(
        roster, "enrollments", "userSourcedId"
    )


@pytest.fixture
def at(tmp_path: Path, sandbox: Sandbox) -> Served:
    """A target without records."""
    return Served(sandbox, tmp_path / "state")


LIMITS = "\n[limits]\nentities.users = 100\nschool_percent = 100\nclass_percent = 100\n"


def person(at: Served, sourced_id: str) -> str:
    """Return the given name that the target has, and blank for nobody."""
    return str(at.record("users", sourced_id).get("givenName", ""))


def test_both_arrive_and_stay_who_they_are(at: Served, tmp_path: Path) -> None:
    """A second night sends nothing; the one who stays keeps the id after the other one has left."""
    folder = clever(tmp_path / "drop", **DROP)
    people = {line.split(",")[1] for line in (ANN, BO, CY, ED)} | {"a1", CY_IS}

    checked, planned = (synced(at, folder, command=one) for one in ("check", "plan"))
    first, second = synced(at, folder), synced(at, folder)
    compared = synced(at, folder, command="verify")
    clever(folder, **{**DROP, "students": STUDENTS + BO, "enrollments": "School_id,Section_id,Student_id\n1,c1,8"})  # fmt: skip
    alone = synced(at, folder, LIMITS)
    again = synced(at, folder, LIMITS)

    assert [0] * 7 == [
        run.code for run in (checked, planned, first, second, compared, alone, again)
    ]
    assert len(people) == int(first.json["entities"]["users"]["created"])
    assert (0, "unchanged", "unchanged") == (
        first.total("rejected"),
        second.json["status"],
        again.json["status"],
    )
    assert "ids_apart" in rules_of(first)
    assert ("Cy", "deleted") == (person(at, CY_IS), gone_as(alone))


def rules_of(run: Run) -> str:
    """Return the report of a run."""
    return Path(run.json["report"]).read_text()


def gone_as(run: Run) -> str:
    """Return what became of the people who are missing."""
    counts = run.json["entities"]["users"]
    return "deleted" if counts["deleted"] + counts["disabled"] == 1 else str(counts)


@pytest.mark.parametrize("there", ["students", "teachers"])
def test_who_was_there_first_keeps_the_id(there: str, at: Served, tmp_path: Path) -> None:
    """Whoever comes with that id later gets another one, from whichever file; nothing is held, and nobody is changed."""
    without = {
        "students": {**DROP, "teachers": TEACHERS + ED, "staff": STAFF, "sections": "School_id,Section_id,Teacher_id,Name\n1,c1,9,Art\n1,c2,9,Bio"},
        "teachers": {**DROP, "students": STUDENTS + BO, "enrollments": "School_id,Section_id,Student_id\n1,c1,8"},
    }  # fmt: skip
    folder = clever(tmp_path / "drop", **without[there])
    synced(at, folder)
    first = person(at, "7")

    both = synced(at, clever(folder, **DROP))
    second = synced(at, folder)
    compared = synced(at, folder, command="verify")

    other = {"students": "teachers/7", "teachers": "students/7"}[there]
    assert (0, 0, 0) == (both.code, both.total("held"), both.total("deleted"))
    assert {"students": ("Ann", "Ann", "Cy"), "teachers": ("Cy", "Cy", "Ann")}[there] == (
        first,
        person(at, "7"),
        person(at, other),
    )
    assert ("unchanged", 0) == (second.json["status"], compared.code)


def test_where_no_name_is_the_same_a_setting_says_who_is_meant(at: Served, tmp_path: Path) -> None:
    """A teacher marries on the night on which a student gets her id: nobody becomes the other one before it is set."""
    folder = clever(
        tmp_path / "drop",
        **{**DROP, "students": STUDENTS + BO, "staff": STAFF, "enrollments": "School_id,Section_id,Student_id\n1,c1,8"},
    )  # fmt: skip
    synced(at, folder)
    married = {**DROP, "staff": STAFF, "teachers": TEACHERS + "1,7,Cy,Holm,holm@example.edu\n" + ED}
    clever(folder, **married)

    unsure = synced(at, folder)
    there = person(at, "7")
    named = synced(at, folder, 'set_apart = ["students.csv"]\n')
    second = synced(at, folder, 'set_apart = ["students.csv"]\n')
    without = synced(at, folder)

    assert (0, "Cy", "") == (unsure.total("deleted"), there, person(at, "teachers/7"))
    assert "`set_apart` under [source]" in rules_of(unsure)
    assert (0, "Cy", "Ann") == (named.code, person(at, "7"), person(at, "students/7"))
    assert "holm@example.edu" == at.record("users", "7")["email"]
    assert ("unchanged", "unchanged") == (second.json["status"], without.json["status"])


def test_a_setting_names_a_file_of_the_layout(tmp_path: Path) -> None:
    """Otherwise it would do nothing."""
    roster = normalized(
        clever(tmp_path, **DROP), said=frozenset({"set_apart"}), set_apart=("pupils.csv",)
    )

    assert "`set_apart` of 'pupils.csv', which is no file of layout clever" in str(
        roster.findings.fatal["value"][0]
    )
