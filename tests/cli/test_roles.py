"""Roles that end: because a row says so, or with the classes of which they were made; and those that stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.layouts.normalizing import written
from tests.layouts.test_nights import CANVAS, synced
from tests.rosters import Row, Rows, delta, district, drop
from tests.running import Run
from tests.serving import Served

OPEN = "[limits]\nvanished_percent = 100\nschool_percent = 100\n"


@pytest.fixture
def at(tmp_path: Path, sandbox: Sandbox) -> Served:
    """A target without records."""
    return Served(sandbox, tmp_path / "state")


def roles(at: Served, person: str) -> set[tuple[str, str]]:
    """The roles that the target has of somebody, by organization."""
    return {(one["org"]["sourcedId"], one["role"]) for one in at.record("users", person)["roles"]}


def role(number: int, **cells: str) -> Row:
    """One of the district's roles, changed."""
    return district()["roles"][number] | cells


def changes(
    at: Served, people: list[str], rows: list[Row], ended: tuple[Row, ...] = (), more: str = ""
) -> Run:
    """Load a delta of some of the district's users and roles."""
    users = [row for row in district()["users"] if row["sourcedId"] in people]
    told: Rows = delta({"users": users, "roles": rows})
    told["roles"] += delta({"roles": list(ended)}, "tobedeleted")["roles"]
    return synced(at, drop(at.state.parent / "delta", told, "delta"), more)


def begin(at: Served) -> None:
    """Load the district, in which Ana has a second school, and let somebody else give her a third one."""
    rows = district()
    rows["roles"] = [*rows["roles"], role(0, sourcedId="r9", orgSourcedId="s2")]
    assert 0 == synced(at, drop(at.state.parent / "drop", rows)).code
    theirs = {"role": "proctor", "roleType": "secondary", "org": {"sourcedId": "s1"}}
    at.change("users", "ana", roles=[*at.record("users", "ana")["roles"], theirs])


def test_a_row_of_a_delta_replaces_the_role_that_has_its_id(at: Served) -> None:
    """Another school, or another role; the roles of which it does not speak stay, and so do those of others."""
    begin(at)

    moved = changes(at, ["ana", "tia"], [role(0, orgSourcedId="d"), role(2, role="aide")])
    again = changes(at, ["ana", "tia"], [role(0, orgSourcedId="d"), role(2, role="aide")])

    assert (2, "unchanged") == (moved.json["entities"]["users"]["updated"], again.json["status"])
    assert {("d", "student"), ("s2", "student"), ("s1", "proctor")} == roles(at, "ana")
    assert {("s1", "aide")} == roles(at, "tia")


@pytest.mark.parametrize("people", [["ana"], []])
def test_a_role_that_a_delta_takes_away_ends(people: list[str], at: Served) -> None:
    """With the user's row or without; on a later night, too, nobody takes what others wrote."""
    begin(at)

    run = changes(at, people, [], (role(0),))
    later = changes(at, ["ana"], [role(0, sourcedId="r9", orgSourcedId="s2", role="aide")])

    assert (0, 0) == (run.code, later.code)
    assert {("s2", "aide"), ("s1", "proctor")} == roles(at, "ana")


def test_the_last_role_of_somebody_cannot_be_taken_away(at: Served) -> None:
    """The row is rejected and told, and the role stays."""
    begin(at)

    run = changes(at, ["bo"], [], (role(1),), "[limits]\nrejected_percent = 100\n")

    assert 1 == run.json["entities"]["users"]["rejected"]
    assert "role_missing" in Path(run.json["rejects"]).read_text()
    assert {("s2", "student")} == roles(at, "bo")


def test_a_role_that_ends_and_says_nothing_of_itself_is_refused_where_its_id_is_not_known(
    at: Served,
) -> None:
    """Nobody can say which of the user's roles that was."""
    begin(at)

    run = changes(
        at,
        ["ana"],
        [],
        ({"sourcedId": "r77", "userSourcedId": "ana"},),
        "[limits]\nrejected_percent = 100\n",
    )

    assert "part_removed" in Path(run.json["rejects"]).read_text()
    assert 3 == len(roles(at, "ana"))


SDS = {
    "School": "SIS ID,Name\n1,Elm\n2,Oak",
    "Section": "SIS ID,School SIS ID,Section Name\nc1,1,Art",
    "Student": "SIS ID,School SIS ID,Username,First Name,Last Name,Status\ns1,1,ann,Ann,Lee,Active",
    "Teacher": "SIS ID,School SIS ID,Username,First Name,Last Name,Status\nt1,1,cy,Cy,Oak,Active",
    "StudentEnrollment": "Section SIS ID,SIS ID\nc1,s1",
    "TeacherRoster": "Section SIS ID,SIS ID\nc1,t1",
}


def test_who_is_inactive_in_one_school_and_active_in_another_has_moved(
    at: Served, tmp_path: Path
) -> None:
    """School Data Sync V1: the row of the old school ends the role there. The roster before can be brought back."""
    first = synced(at, written(tmp_path / "first", **SDS)).json["run"]
    student = SDS["Student"].replace("Active", "Inactive") + "\ns1,2,ann,Ann,Lee,Active"
    folder = written(tmp_path / "second", **{**SDS, "Student": student})

    synced(at, folder, OPEN)
    again = synced(at, folder, OPEN)

    assert ({("2", "student")}, "unchanged") == (roles(at, "s1"), again.json["status"])

    at.roster("restore", first, tmp_path / "larkspur.toml")

    assert {("1", "student")} == roles(at, "s1")


def test_a_row_that_names_all_schools_names_all_roles(at: Served, tmp_path: Path) -> None:
    """School Data Sync V2: whoever moves leaves."""
    users = "sourcedId,orgSourcedIds,username,givenName,familyName,role\ns1,1,ann,Ann,Lee,Student"
    orgs = "sourcedId,name,type\n1,Elm,school\n2,Oak,school"
    synced(at, written(tmp_path / "first", orgs=orgs, users=users))

    synced(at, written(tmp_path / "second", orgs=orgs, users=users.replace("s1,1", "s1,2")))

    assert {("2", "student")} == roles(at, "s1")


TWO = {
    **CANVAS,
    "accounts": "account_id,parent_account_id,name,status\nD,,Dell,active\nE,D,Elm,active\nO,D,Oak,active",
    "courses": "course_id,short_name,long_name,account_id,term_id,status\nC,Art,Art,E,T,active\nM,Math,Math,O,T,active",
    "sections": "section_id,course_id,name,status\nS,C,Art 1,active\nX,M,Math 1,active",
    "enrollments": "section_id,user_id,role,status\nS,u1,teacher,active\nX,u1,student,active\nS,u2,student,active",
}


@pytest.mark.parametrize("files", [("enrollments",), ("users", "enrollments"), tuple(TWO)])
def test_a_role_that_was_made_of_a_class_goes_with_it(
    files: tuple[str, ...], at: Served, tmp_path: Path
) -> None:
    """Also on a night that has the enrollment alone; a user without another role keeps it, and is reported."""
    synced(at, written(tmp_path / "first", **TWO))
    gone = (
        TWO["enrollments"]
        .replace("teacher,active", "teacher,deleted")
        .replace("S,u2,student,active", "S,u2,student,deleted")
    )
    later = written(
        tmp_path / "second", **{name: {**TWO, "enrollments": gone}[name] for name in files}
    )

    before = roles(at, "u1")
    run = synced(at, later, OPEN)

    assert ({("E", "teacher"), ("O", "student")}, {("O", "student")}) == (before, roles(at, "u1"))
    stays = "accounts" not in files
    assert ({("E" if stays else "D", "student")}, stays) == (
        roles(at, "u2"),
        "last_role" in run.err,
    )


def test_a_role_that_was_made_of_several_classes_stays_with_the_last(
    at: Served, tmp_path: Path
) -> None:
    """And goes with the class itself."""
    sections = TWO["sections"] + "\nR,C,Art 2,active"
    enrollments = TWO["enrollments"] + "\nR,u1,teacher,active"
    synced(
        at, written(tmp_path / "first", **{**TWO, "sections": sections, "enrollments": enrollments})
    )

    one = written(
        tmp_path / "one",
        users=TWO["users"],
        enrollments="section_id,user_id,role,status\nS,u1,teacher,deleted",
    )
    synced(at, one)
    with_one = roles(at, "u1")
    more = OPEN
    synced(
        at,
        written(
            tmp_path / "last", enrollments="section_id,user_id,role,status\nR,u1,teacher,deleted"
        ),
        more,
    )

    assert ({("E", "teacher"), ("O", "student")}, {("O", "student")}) == (with_one, roles(at, "u1"))
