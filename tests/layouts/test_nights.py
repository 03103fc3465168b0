"""Nights of feeds in other layouts: what is gone, what only failed to come, and what two feeds both call theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.ledger import Ledger
from connectors.oneroster.sandbox import Sandbox
from tests.layouts.clever import FILES, clever
from tests.layouts.normalizing import written
from tests.running import Run
from tests.serving import Served

FEED = """
district = {feed!r}
drop = {drop!r}

[target]
url = "env"
email_template = "{{sourcedId}}@students.example.edu"

[source]
"""


@pytest.fixture
def at(tmp_path: Path, sandbox: Sandbox) -> Served:
    """A target without records."""
    return Served(sandbox, tmp_path / "state")


def synced(
    at: Served,
    drop: Path,
    more: str = "",
    feed: str = "larkspur",
    *,
    top: str = "",
    command: str = "sync",
) -> Run:
    """Load a drop as a feed, or do something else with it."""
    file = at.state.parent / f"{feed}.toml"
    file.write_text(top + FEED.format(feed=feed, drop=str(drop)) + more)
    return at.roster(command, file)


def gone(run: Run) -> int:
    """How many people the run took away."""
    return int(run.json["entities"]["users"].get("deleted", 0)) + int(
        run.json["entities"]["users"].get("disabled", 0)
    )


def test_nothing_vanishes_of_a_layout_that_is_no_snapshot(at: Served, tmp_path: Path) -> None:
    """School Data Sync says who has left; who is merely absent stays, unless the feed file calls its drops whole."""
    folder = tmp_path / "drop"
    files = {
        "School": "SIS ID,Name\n1,Elm",
        "Section": "SIS ID,School SIS ID,Section Name\nc1,1,Art",
        "Student": "SIS ID,School SIS ID,Username,First Name,Last Name\ns1,1,ann,Ann,Lee\ns2,1,bo,Bo,Ray",
        "Teacher": "SIS ID,School SIS ID,Username,First Name,Last Name\nt1,1,cy,Cy,Oak",
        "StudentEnrollment": "Section SIS ID,SIS ID\nc1,s1",
        "TeacherRoster": "Section SIS ID,SIS ID\nc1,t1",
    }
    synced(at, written(folder, **files))
    written(folder, Student=files["Student"].rsplit("\n", 1)[0])

    assert 0 == gone(synced(at, folder))
    assert 1 == gone(synced(at, folder, "snapshot = true\n[limits]\nschool_percent = 100\n"))


def test_what_vanishes_with_a_whole_file_waits_for_a_person(at: Served, tmp_path: Path) -> None:
    """The staff have not left because staff.csv failed to come, this night or the next; students who leave wait with them."""
    folder = clever(tmp_path / "drop")
    synced(at, folder)
    (folder / "staff.csv").unlink()

    first, second = synced(at, folder), synced(at, folder)

    assert ("held", "held") == (first.json["status"], second.json["status"])
    assert (
        "staff.csv had such records before, and is missing or empty; 1 of 4 vanished"
        in " ".join(second.err.split())
    )
    assert "active" == at.record("users", "a1")["status"]

    approved, third = (
        at.roster("sync", tmp_path / "larkspur.toml", "--approve", second.json["plan"]),
        synced(at, folder),
    )

    assert (1, "unchanged") == (gone(approved), third.json["status"])


def test_two_feeds_that_claim_one_id_are_told(at: Served, tmp_path: Path) -> None:
    """With the other feed's name; a prefix keeps them apart."""
    folder = clever(tmp_path / "drop")
    synced(at, folder, feed="north")

    shared = synced(at, folder, feed="south")
    apart = synced(at, folder, 'prefix = "e-"\n', feed="east")

    assert "users of feed north: a1, s1, s2, …" in shared.err
    assert "users of feed" not in apart.err
    assert "Ann" == at.record("users", "e-s1")["givenName"]


CANVAS = {
    "accounts": "account_id,parent_account_id,name,status\nE,,Elm,active",
    "terms": "term_id,name,status,start_date,end_date\nT,Fall,active,2026-08-01,2026-12-20",
    "courses": "course_id,short_name,long_name,account_id,term_id,status\nC,Art,Art,E,T,active",
    "sections": "section_id,course_id,name,status\nS,C,Art 1,active",
    "users": "user_id,login_id,first_name,last_name,declared_user_type,status\nu1,ann,Ann,Lee,,active\nu2,bo,Bo,Ray,student,active",
    "enrollments": "section_id,user_id,role,status\nS,u1,student,active",
}


def test_ids_that_changed_once_are_remembered_ever_after(at: Served, tmp_path: Path) -> None:
    """Canvas sends change_sis_id.csv on one night, and the new ids on all that follow: nobody is doubled, nor are enrollments."""
    synced(at, written(tmp_path / "first", **CANVAS))
    new = {name: text.replace("u1", "n1") for name, text in CANVAS.items()}

    changing = synced(
        at, written(tmp_path / "second", **new, change_sis_id="old_id,new_id,type\nu1,n1,user")
    )
    after = synced(at, written(tmp_path / "third", **new))
    again = {name: text.replace("u1", "m1") for name, text in CANVAS.items()}
    changing_again = synced(
        at, written(tmp_path / "fourth", **again, change_sis_id="old_id,new_id,type\nn1,m1,user")
    )
    last = synced(at, written(tmp_path / "fifth", **again))

    assert {"unchanged"} == {run.json["status"] for run in (changing, after, changing_again, last)}
    assert "ids_changed" in changing.err
    assert {} == at.record("users", "n1")


@pytest.mark.parametrize("prefix", ["", "x-"])
def test_who_is_forgotten_stays_so_under_a_new_id(prefix: str, at: Served, tmp_path: Path) -> None:
    """And the ledger names neither id."""
    more = f'prefix = "{prefix}"\n' if prefix else ""
    synced(at, written(tmp_path / "first", **CANVAS), more)
    new = {name: text.replace("u1", "n1") for name, text in CANVAS.items()}
    synced(
        at,
        written(tmp_path / "second", **new, change_sis_id="old_id,new_id,type\nu1,n1,user"),
        more,
    )
    at.roster("forget", f"{prefix}u1")

    run = synced(at, written(tmp_path / "third", **new), more)

    assert (0, 1, {}) == (
        run.code,
        run.json["entities"]["users"]["unshared"],
        at.record("users", f"{prefix}n1"),
    )
    with Ledger(at.state / "ledger.db") as ledger:
        assert {} == ledger.renamed(ledger.feeds()[0])


def test_a_fault_is_told_in_the_words_of_the_file(at: Served, tmp_path: Path) -> None:
    """Beside OneRoster's own: who mends it has the export before them."""
    students = (
        "School_id,Student_id,First_name,Last_name,DOB\n1,s1,Ann,Lee,40/13/12\n1,s2,Bo,,1/2/12"
    )

    run = synced(at, clever(tmp_path / "drop", students=students))

    assert "students.csv birthDate (DOB): row 1" in run.err
    assert "students.csv familyName (Last_name): row 2" in run.err


def test_a_part_of_a_canvas_import_adds_to_what_was_loaded(at: Served, tmp_path: Path) -> None:
    """Changes of one night: the class is known of an earlier one, and its school with it; nobody else is touched."""
    synced(at, written(tmp_path / "whole", **CANVAS))

    run = synced(
        at,
        written(
            tmp_path / "part", enrollments="section_id,user_id,role,status\nS,u2,student,active"
        ),
    )

    assert (0, {"enrollments"}) == (
        run.code,
        {name for name, counts in run.json["entities"].items() if counts["created"]},
    )
    assert "E" == at.record("enrollments", "enrollment/S/u2/student")["school"]["sourcedId"]


def test_whoever_is_in_two_files_keeps_the_role_of_the_one_that_fails_to_come(
    at: Served, tmp_path: Path
) -> None:
    """A teacher is also a principal, as staff.csv says; without it, or with its header alone, nobody says that she is none."""
    staff = "School_id,Staff_id,First_name,Last_name,Role\n1,t1,Cy,Dow,Principal"
    folder = clever(tmp_path / "drop", staff=staff)
    synced(at, folder)
    before = at.record("users", "t1")["roles"]

    (folder / "staff.csv").write_text(staff.split("\n", maxsplit=1)[0] + "\n")
    synced(at, folder)
    (folder / "staff.csv").unlink()
    synced(at, folder)

    assert before == at.record("users", "t1")["roles"]


def test_what_vanishes_with_a_whole_column_waits_for_a_person(at: Served, tmp_path: Path) -> None:
    """The second teachers have not left because their column failed to come; a person may say that it will not come again."""
    teachers = "School_id,Teacher_id,First_name,Last_name\n1,t1,Cy,Dow\n1,t2,Ed,Fry"
    folder = clever(
        tmp_path / "drop",
        teachers=teachers,
        sections="School_id,Section_id,Teacher_id,Teacher_2_id,Name\n1,c1,t1,t2,Art",
    )
    synced(at, folder)
    clever(folder, teachers=teachers)

    run = synced(at, folder)

    assert "sections.csv: Teacher_2_id had such records before" in " ".join(run.err.split())
    assert "active" == at.record("enrollments", "enrollment/c1/t2/teacher")["status"]
    synced(at, folder, 'without = ["sections.csv: Teacher_2_id"]\n[limits]\nschool_percent = 100\n')
    assert "active" != at.record("enrollments", "enrollment/c1/t2/teacher")["status"]


def test_agents_stay_where_the_file_of_links_fails_to_come(at: Served, tmp_path: Path) -> None:
    """Canvas's observers, on a night without user_observers.csv."""
    users = CANVAS["users"] + "\no1,eve,Eve,Lee,observer,active"
    links = "observer_id,student_id,status\no1,u1,active"
    synced(at, written(tmp_path / "first", **{**CANVAS, "users": users}, user_observers=links))

    synced(at, written(tmp_path / "second", users=users.replace("Ann", "Anna")))

    assert ("Anna", ["o1"]) == (
        (ann := at.record("users", "u1"))["givenName"],
        [one["sourcedId"] for one in ann["agents"]],
    )


def test_one_nights_changes_of_canvas_change_nothing_else(at: Served, tmp_path: Path) -> None:
    """Neither the kind of an account nor the term of a class is made up, where the file that says it is not there."""
    accounts = "account_id,parent_account_id,name,status\nD,,Larkspur,active\nE,D,Elm,active"
    synced(at, written(tmp_path / "first", **{**CANVAS, "accounts": accounts}))
    before = at.record("classes", "S")

    synced(
        at,
        written(
            tmp_path / "second",
            accounts="account_id,parent_account_id,name,status\nD,,Larkspur Valley,active",
        ),
    )
    synced(at, written(tmp_path / "third", sections=CANVAS["sections"]))

    assert ("district", {}) == (
        at.record("orgs", "D")["type"],
        at.record("orgs", "district/larkspur"),
    )
    assert before == at.record("classes", "S")


def test_an_enrollment_in_a_course_alone_finds_its_class_again(at: Served, tmp_path: Path) -> None:
    """On a night of changes without courses, and after the course has got another id."""
    enrollments = "course_id,section_id,user_id,role,status\nC,,u1,student,active"
    synced(at, written(tmp_path / "first", **{**CANVAS, "enrollments": enrollments}))

    later = synced(at, written(tmp_path / "second", enrollments=enrollments))
    new = {
        name: text.replace("C,", "K,")
        for name, text in {**CANVAS, "enrollments": enrollments}.items()
    }
    renamed = synced(
        at, written(tmp_path / "third", **new, change_sis_id="old_id,new_id,type\nC,K,course")
    )

    assert ("unchanged", "unchanged") == (later.json["status"], renamed.json["status"])


def test_an_id_that_was_given_up_is_not_given_to_another(at: Served, tmp_path: Path) -> None:
    """The target knows Ann by it; Zoe is rejected until she has one of her own. An id may change twice in one file."""
    synced(at, written(tmp_path / "first", **CANVAS))
    new = {name: text.replace("u1", "n1") for name, text in CANVAS.items()}
    twice = synced(
        at,
        written(
            tmp_path / "second", **new, change_sis_id="old_id,new_id,type\nu1,tmp,user\ntmp,n1,user"
        ),
    )

    users = "user_id,login_id,first_name,last_name,declared_user_type,status\nu1,zoe,Zoe,Kim,student,active"
    run = synced(at, written(tmp_path / "third", users=users), "[limits]\nrejected_percent = 100\n")

    assert "unchanged" == twice.json["status"]
    assert ("Ann", 1) == (
        at.record("users", "u1")["givenName"],
        run.json["entities"]["users"]["rejected"],
    )
    assert "id_given_up" in run.err


def test_people_with_new_ids_are_not_doubled(at: Served, tmp_path: Path) -> None:
    """All students have other ids, and the teachers have not: both the old and the new ones are held."""
    folder = clever(tmp_path / "drop")
    synced(at, folder)
    clever(
        folder,
        students=FILES["students"].replace("s1", "n1").replace("s2", "n2"),
        enrollments="School_id,Section_id,Student_id\n1,c1,n1\n1,c1,n2",
    )

    run = synced(at, folder)

    assert ("held", {}, "active") == (
        run.json["status"],
        at.record("users", "n1"),
        at.record("users", "s1")["status"],
    )
    assert "say in ids.csv (old,new) which are the same" in " ".join(run.err.split())


def test_people_who_leave_while_others_come_need_no_demographics(
    at: Served, tmp_path: Path
) -> None:
    """A layout without birth dates: one leaves, one comes, two have new ids."""
    users = "sourcedId,orgSourcedIds,username,givenName,familyName,role\ns1,1,ann,Ann,Lee,Student\ns2,1,bo,Bo,Ray,Student\ns3,1,cy,Cy,Dow,Student"
    folder = written(tmp_path / "drop", orgs="sourcedId,name,type\n1,Elm,school", users=users)
    more = "snapshot = true\n[limits]\nschool_percent = 100\n"
    synced(at, folder, more)

    one = synced(at, written(folder, users=users.replace("s3,1,cy,Cy,Dow", "s4,1,di,Di,Fox")), more)
    two = synced(
        at,
        written(
            folder,
            users=users.replace("s3,1,cy,Cy,Dow", "s4,1,di,Di,Fox")
            .replace("s1", "n1")
            .replace("s2", "n2"),
        ),
        more,
    )

    assert (0, 3) == (one.code, two.code)
    assert "came again under new ids" in " ".join(two.err.split())


def test_a_file_that_says_nothing_by_itself_is_told(at: Served, tmp_path: Path) -> None:
    """Cross-lists without sections, and links without users."""
    synced(at, written(tmp_path / "first", **CANVAS))

    run = synced(
        at,
        written(
            tmp_path / "second",
            xlists="xlist_course_id,section_id,status\nC,S,active",
            user_observers="observer_id,student_id,status\nu2,u1,deleted",
        ),
    )

    assert 2 == run.err.count("sections.csv") + run.err.count("users.csv")
    assert "file_alone" in run.err


def test_who_is_suspended_in_a_drop_of_users_alone_is_disabled(at: Served, tmp_path: Path) -> None:
    """Though nothing there says what they are, or where."""
    synced(at, written(tmp_path / "first", **CANVAS))

    drop = written(
        tmp_path / "second", users=CANVAS["users"].replace("student,active", "student,suspended")
    )
    synced(at, drop, "[limits]\nschool_percent = 100\n")

    assert "false" == at.record("users", "u2")["enabledUser"]
