"""What a scope leaves out is withheld with whatever needs it, and counted; nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judging import judged, ledger
from tests.learning import learning
from tests.rosters import changed, district
from transforms.records import RosterState
from transforms.share import SharingScope, report_unknown_people, share, unknown_scope_names

OPEN = SharingScope(demographics=True, contacts=True)


def shared(folder: Path, scope: SharingScope) -> RosterState:
    """Share the district."""
    return share(judged(folder, district()).standing, scope)


def withheld(standing: RosterState) -> set[str]:
    """Give the ids that are not shared."""
    return {one for judged in standing.values() for one in judged.withheld["sourcedId"]}


SCOPES: tuple[tuple[str, SharingScope, set[str]], ...] = (
    ("everything", OPEN, set()),
    ("one school", SharingScope(frozenset({"s1"}), demographics=True, contacts=True), {"s2", "bo", "c2", "e2"}),
    ("one grade of students", SharingScope(grades=frozenset({"06"}), demographics=True, contacts=True), {"ana", "e1"}),
    ("teachers", SharingScope(roles=frozenset({"teacher"}), demographics=True, contacts=True), {"ana", "bo", "mum", "e1", "e2"}),
    ("all but one", SharingScope(exclude=frozenset({"ana"}), demographics=True, contacts=True), {"ana", "e1"}),
    ("no demographics", SharingScope(contacts=True), {"ana"}),
    ("no contacts", SharingScope(demographics=True), {"mum"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "out"), [case[1:] for case in SCOPES], ids=[case[0] for case in SCOPES]
)
def test_scopes(scope: SharingScope, out: set[str], tmp_path: Path) -> None:
    """Who is withheld, with those who need them."""
    assert out == withheld(shared(tmp_path, scope))


def test_what_is_withheld_is_counted(tmp_path: Path) -> None:
    """Read stays read; the rest is unshared."""
    counts = shared(tmp_path, SharingScope(frozenset({"s1"}), demographics=True, contacts=True))[
        "users"
    ].counts

    assert {"read": 4, "merged": 0, "rejected": 0, "unshared": 1} == counts


def test_agents_who_are_not_shared_are_left_out_of_their_children(tmp_path: Path) -> None:
    """The child is shared without them."""
    users = shared(tmp_path, SharingScope(demographics=True))["users"].accepted

    assert [None] == users.filter(sourcedId="ana")["agentSourcedIds"].to_list()


def test_of_two_roles_only_the_shared_one_goes(tmp_path: Path) -> None:
    """A teacher in two schools is a teacher in the shared one."""
    rows = district()
    rows["roles"].append(
        {
            "sourcedId": "r5",
            "userSourcedId": "tia",
            "roleType": "primary",
            "role": "teacher",
            "orgSourcedId": "s2",
        }
    )

    standing = share(
        judged(tmp_path, rows).standing,
        SharingScope(frozenset({"s2"}), demographics=True, contacts=True),
    )

    role = standing["users"].accepted.filter(sourcedId="tia")["roles"][0]
    assert ("s2" in role, "s1" in role) == (True, False)


def test_departments_of_a_shared_school_are_shared(tmp_path: Path) -> None:
    """What lies below a school belongs to it; what lies above it is needed."""
    rows = district()
    rows["orgs"].append(
        {"sourcedId": "dep", "name": "Science", "type": "department", "parentSourcedId": "s1"}
    )

    standing = share(
        judged(tmp_path, rows).standing,
        SharingScope(frozenset({"s1"}), demographics=True, contacts=True),
    )

    assert ["d", "s1", "dep"] == standing["orgs"].accepted["sourcedId"].to_list()


def test_columns_that_a_feed_leaves_out_are_blank(tmp_path: Path) -> None:
    """Their values go no further."""
    rows = changed(district(), "bo", phone="555")

    scope = SharingScope(
        leave_out={"users": frozenset({"phone"})}, demographics=True, contacts=True
    )

    assert 0 == share(judged(tmp_path, rows).standing, scope)["users"].accepted["phone"].count()


def test_scopes_hold_where_another_feed_has_schools_and_people(tmp_path: Path) -> None:
    """A drop of classes and enrollments alone shares no more than one with everything."""
    rows = {
        name: table
        for name, table in district().items()
        if name in ("courses", "classes", "enrollments")
    }
    known = ledger(orgs=["d", "s1", "s2"], academicSessions=["y", "t1"], users=["ana", "bo", "tia"])
    checked = judged(tmp_path, rows, known)

    standing = share(checked.standing, SharingScope(frozenset({"s1"}), exclude=frozenset({"tia"})))

    assert {"c2", "e2", "e3"} == withheld(standing)


@pytest.mark.parametrize(
    ("scope", "out"),
    [
        (SharingScope(frozenset({"s1"})), {"g1"}),
        (SharingScope(roles=frozenset({"teacher"})), {"r9", "g1"}),
        (SharingScope(grades=frozenset({"09"})), {"r9", "g1"}),
        (SharingScope(), set()),
    ],
)
def test_results_of_people_whom_none_can_judge_are_withheld(
    scope: SharingScope, out: set[str], tmp_path: Path
) -> None:
    """A gradebook drop does not say in which grade or role a person is; a result in a shared school's class may go."""
    known = ledger(orgs=["d", "s1"], academicSessions=["t1"], courses=["co"], classes=["c1"])
    people = {"users": ledger(users=["ana"])["users"]["sourcedId"]}
    checked = judged(tmp_path, learning(), known, elsewhere=people)

    standing = share(checked.standing, scope, known)

    assert out == withheld(standing)
    assert len(out) == sum(notice.count for notice in report_unknown_people(standing).notices)
    assert set() == withheld(share(checked.standing, scope, known | ledger(users=["ana"])))


MISSPELT: tuple[tuple[SharingScope, list[str]], ...] = (
    (SharingScope(frozenset({"s1", "S2"}), frozenset({"06", "6"}), exclude=frozenset({"ana", "bob"})), ["schools = S2", "grades = 6", "exclude = bob"]),
    (SharingScope(frozenset({"s1"}), frozenset({"06"}), exclude=frozenset({"ana"})), []),
)  # fmt: skip


@pytest.mark.parametrize(("scope", "told"), MISSPELT, ids=["misspelt", "right"])
def test_what_a_scope_names_in_vain_is_told(
    scope: SharingScope, told: list[str], tmp_path: Path
) -> None:
    """A misspelled school would withhold everybody without a word; a misspelled exclude would share somebody."""
    found = unknown_scope_names(judged(tmp_path, district()).standing, scope)

    assert told == [notice.detail for notice in found.notices]
