"""Nights of feeds in other layouts: what is gone, what only failed to come, and what two feeds both call theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.ledger import Ledger
from tests.layouts.clever import clever
from tests.layouts.normalising import written
from tests.running import Run
from tests.serving import Served, served

FEED = """
district = {feed!r}
drop = {drop!r}

[target]
url = "env"
email_template = "{{sourcedId}}@students.example.edu"

[source]
"""


@pytest.fixture
def at(tmp_path: Path) -> Served:  # type: ignore[misc]
    """A target without records."""
    with served(tmp_path / "state") as served_:
        yield served_


def synced(at: Served, drop: Path, more: str = "", feed: str = "larkspur") -> Run:
    """Load a drop as a feed."""
    file = at.state.parent / f"{feed}.toml"
    file.write_text(FEED.format(feed=feed, drop=str(drop)) + more)
    return at.roster("sync", file)


def gone(run: Run) -> int:
    """How many people the run took away."""
    return int(run.json["entities"]["users"].get("deleted", 0)) + int(run.json["entities"]["users"].get("disabled", 0))


def test_nothing_vanishes_of_a_layout_that_is_no_snapshot(at: Served, tmp_path: Path) -> None:
    """School Data Sync says who has left; who is merely absent stays, unless the feed's file calls its drops whole."""
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
    assert "staff.csv had such records before, and is missing or empty; 1 of 4 vanished" in " ".join(second.err.split())
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

    changing = synced(at, written(tmp_path / "second", **new, change_sis_id="old_id,new_id,type\nu1,n1,user"))
    after = synced(at, written(tmp_path / "third", **new))
    again = {name: text.replace("u1", "m1") for name, text in CANVAS.items()}
    changing_again = synced(at, written(tmp_path / "fourth", **again, change_sis_id="old_id,new_id,type\nn1,m1,user"))
    last = synced(at, written(tmp_path / "fifth", **again))

    assert {"unchanged"} == {run.json["status"] for run in (changing, after, changing_again, last)}
    assert "ids_changed" in changing.err
    assert {} == at.record("users", "n1")


def test_who_is_forgotten_stays_so_under_a_new_id(at: Served, tmp_path: Path) -> None:
    """And the ledger names neither id."""
    synced(at, written(tmp_path / "first", **CANVAS))
    new = {name: text.replace("u1", "n1") for name, text in CANVAS.items()}
    synced(at, written(tmp_path / "second", **new, change_sis_id="old_id,new_id,type\nu1,n1,user"))
    at.roster("forget", "u1")

    run = synced(at, written(tmp_path / "third", **new))

    assert (0, 1, {}) == (run.code, run.json["entities"]["users"]["unshared"], at.record("users", "n1"))
    with Ledger(at.state / "ledger.db") as ledger:
        assert {} == ledger.renamed(ledger.feeds()[0])


def test_a_fault_is_told_in_the_words_of_the_file(at: Served, tmp_path: Path) -> None:
    """Beside OneRoster's own: who mends it has the export before them."""
    students = "School_id,Student_id,First_name,Last_name,DOB\n1,s1,Ann,Lee,40/13/12\n1,s2,Bo,,1/2/12"

    run = synced(at, clever(tmp_path / "drop", students=students))

    assert "students.csv birthDate (DOB): row 1" in run.err
    assert "students.csv familyName (Last_name): row 2" in run.err


def test_a_part_of_a_canvas_import_adds_to_what_was_loaded(at: Served, tmp_path: Path) -> None:
    """Changes of one night: the class is known of an earlier one, and its school with it; nobody else is touched."""
    synced(at, written(tmp_path / "whole", **CANVAS))

    run = synced(at, written(tmp_path / "part", enrollments="section_id,user_id,role,status\nS,u2,student,active"))

    assert (0, {"enrollments"}) == (
        run.code,
        {name for name, counts in run.json["entities"].items() if counts["created"]},
    )
    assert "E" == at.record("enrollments", "enrollment/S/u2/student")["school"]["sourcedId"]
