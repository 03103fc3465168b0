"""What the target can carry: its vocabulary, an address for each user, an organization for each session."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.oneroster.profile import TIMEBACK
from tests.judging import TODAY, judged, ledger
from tests.layouts.clever import clever
from tests.layouts.normalizing import normalized
from tests.learning import learning
from tests.rosters import Rows, changed, district, raw
from transforms.checks import check
from transforms.layouts.options import ReadingOptions
from transforms.payload import part_values
from transforms.sources import normalize
from transforms.target_values import TargetRecords, files_without_place, map_to_target
from transforms.target_vocabulary import FeedVocabulary, TargetVocabulary, feed_vocabulary

ENTITIES = (
    "orgs",
    "academicSessions",
    "users",
    "demographics",
    "courses",
    "classes",
    "enrollments",
)


def carried(folder: Path, rows: Rows, how: FeedVocabulary | None = None) -> TargetRecords:
    """Carry rows to a target."""
    return map_to_target(
        judged(folder, rows).standing,
        how or feed_vocabulary(TIMEBACK.vocabulary),
        {},
        ENTITIES,
        None,
    )


def rules(carried: TargetRecords) -> set[str]:
    """Name the rules that were broken."""
    return {*carried.findings.errors["rule"], *(notice.rule for notice in carried.findings.notices)}


VALUES = (
    ("users", "bo", "grades", "05,KG,13", "5,0,13", None),
    ("users", "bo", "grades", "5", "5", None),
    ("users", "bo", "grades", "PS", None, "target_value"),
    ("courses", "co", "subjects", "Algebra II,Rowing", "Math", "target_value"),
    ("courses", "co", "subjects", "Biology", "Science", None),
    ("orgs", "s2", "type", "ext:charter", "local", "target_mapped"),
    ("academicSessions", "t1", "type", "ext:quarter", "term", "target_mapped"),
    ("classes", "c1", "classType", "ext:club", "scheduled", "target_mapped"),
    ("demographics", "ana", "sex", "unspecified", None, "target_value"),
)  # fmt: skip


@pytest.mark.parametrize(("entity", "record", "column", "value", "expected", "rule"), VALUES)
def test_values_become_the_targets(
    entity: str,
    record: str,
    column: str,
    value: str,
    expected: str | None,
    rule: str | None,
    tmp_path: Path,
) -> None:
    """A value is mapped, replaced or left out; only the latter two are reported."""
    rows = district()
    rows[entity] = [
        row | {column: value} if row["sourcedId"] == record else row for row in rows[entity]
    ]

    result = carried(tmp_path, rows)

    cells = result.standing[entity].accepted.filter(sourcedId=record)[column].to_list()
    assert ([expected], {rule} if rule else set()) == (cells, rules(result))


ROLES = (
    ("principal", "administrator"),
    ("systemAdministrator", "system_administrator"),
    ("counselor", "aide"),
    ("student", "student"),
)


@pytest.mark.parametrize(("role", "expected"), ROLES)
def test_roles_are_mapped(role: str, expected: str, tmp_path: Path) -> None:
    """The standard's roles become the target's."""
    users = (
        carried(tmp_path, changed(district(), "r2", role=role))
        .standing["users"]
        .accepted.filter(sourcedId="bo")
    )

    assert [expected] == part_values(users["roles"], "role").to_list()


def test_a_role_that_the_target_does_not_know_refuses_the_user(tmp_path: Path) -> None:
    """A role is never dropped silently; a feed's map can name it."""
    rows = changed(district(), "r2", role="ext:coach")

    refused, mapped = (
        carried(tmp_path, rows),
        carried(
            tmp_path,
            rows,
            feed_vocabulary(TIMEBACK.vocabulary, {"roles": {"ext:coach": "teacher"}}),
        ),
    )

    assert [("bo", "target_role"), ("e2", "target_parent")] == refused.findings.errors.select(
        "sourcedId", "rule"
    ).rows()
    assert set() == rules(mapped)


def test_an_enrollment_role_that_the_target_does_not_know_refuses_the_enrollment(
    tmp_path: Path,
) -> None:
    """The role stands in the rejects."""
    result = carried(tmp_path, changed(district(), "e2", role="ext:guest"))

    assert [("e2", "target_enrollment_role", "ext:guest")] == result.findings.errors.select(
        "sourcedId", "rule", "value"
    ).rows()


@pytest.mark.parametrize("email", ["", "bo at home", "bo@", "bo@x", "b o@example.edu"])
def test_a_user_without_an_address_is_refused_unless_a_template_gives_one(
    email: str, tmp_path: Path
) -> None:
    """The setting to add stands in the rule; with it nobody is refused."""
    rows = changed(district(), "bo", email=email)

    bare, filled = (
        carried(tmp_path, rows),
        carried(
            tmp_path,
            rows,
            feed_vocabulary(TIMEBACK.vocabulary, email_template="{sourcedId}@students.example.edu"),
        ),
    )

    assert "target_email" in rules(bare)
    assert bool(email) == ("email_replaced" in rules(filled))
    assert ["bo@students.example.edu"] == filled.standing["users"].accepted.filter(sourcedId="bo")[
        "email"
    ].to_list()


def test_a_score_status_that_the_target_does_not_know_refuses_the_result(tmp_path: Path) -> None:
    """Another one would say something else of the student."""
    rows = district() | {
        name: learning()[name] for name in ("categories", "scoreScales", "lineItems", "results")
    }
    rows["results"][0]["scoreStatus"] = "ext:late"

    result = map_to_target(
        judged(tmp_path, rows).standing,
        feed_vocabulary(TIMEBACK.vocabulary),
        {},
        TIMEBACK.collections,
        None,
    )

    assert [("r9", "target_score_status")] == result.findings.errors.select(
        "sourcedId", "rule"
    ).rows()


def test_an_invalid_address_is_one_finding(tmp_path: Path) -> None:
    """It rejects its user, or a template makes another one."""
    template = feed_vocabulary(TIMEBACK.vocabulary, email_template="{sourcedId}@example.edu")
    rows = changed(district(), "bo", email="bo at home")

    bare, filled = carried(tmp_path, rows), carried(tmp_path, rows, template)

    assert [("bo", "target_email", "bo at home")] == bare.findings.errors.filter(
        entity="users"
    ).select("sourcedId", "rule", "value").rows()
    assert "target_value" not in rules(bare)
    assert ({"email_replaced"}, "bo@example.edu") == (
        rules(filled),
        filled.standing["users"].accepted.filter(sourcedId="bo")["email"].item(),
    )


def test_a_word_is_reported_once_for_its_cell(tmp_path: Path) -> None:
    """A cell of sections.csv may be the subject of a course and of its classes."""
    sections = (
        "School_id,Section_id,Teacher_id,Name,Subject,Course_number\n"
        "1,c1,t1,Art,Glazing,7\n1,c2,t1,Art,Glazing,7\n1,c3,t1,Art,Glazing,8"
    )
    roster = normalized(clever(tmp_path, sections=sections))

    result = map_to_target(
        check(roster, {}).standing,
        feed_vocabulary(TIMEBACK.vocabulary),
        {},
        ENTITIES,
        None,
        roster.spelt,
    )

    assert 3 == sum(one.count for one in result.findings.notices if one.rule == "target_value")


def test_a_template_may_use_any_column(tmp_path: Path) -> None:
    """A blank cell gives no address."""
    rows = changed(changed(district(), "bo", email="", identifier="77"), "tia", email="")

    result = carried(
        tmp_path,
        rows,
        feed_vocabulary(TIMEBACK.vocabulary, email_template="n{identifier}@example.edu"),
    )

    assert ["n77@example.edu"] == result.standing["users"].accepted.filter(sourcedId="bo")[
        "email"
    ].to_list()
    assert ["tia"] == result.findings.errors.filter(rule="target_email")["sourcedId"].to_list()


@pytest.mark.parametrize("name", ["Ada", "ADA"])
def test_a_template_that_gives_two_people_one_address_is_told(name: str, tmp_path: Path) -> None:
    """Or somebody's own address; both are taken as they are."""
    template = feed_vocabulary(TIMEBACK.vocabulary, email_template="{givenName}@example.edu")
    rows = changed(district(), "bo", email="", givenName="Ada")
    both = changed(rows, "mum", email="", givenName=name)
    own = changed(rows, "mum", email=f"{name}@example.edu")

    alone, *shared = (
        carried(tmp_path / str(number), one, template)
        for number, one in enumerate((rows, both, own))
    )

    assert "email_shared" not in rules(alone)
    for result in shared:
        assert ("email_shared", 2, "made by email_template") in [
            (notice.rule, notice.count, notice.detail) for notice in result.findings.notices
        ]
        assert "mum" in result.standing["users"].accepted["sourcedId"]


def test_sessions_belong_to_the_root_of_the_drop(tmp_path: Path) -> None:
    """Or to what the feed file says."""
    root, said = (
        carried(tmp_path, district()),
        carried(tmp_path, district(), feed_vocabulary(TIMEBACK.vocabulary, session_org="s2")),
    )

    assert ({"d"}, {"s2"}) == tuple(
        set(result.standing["academicSessions"].accepted["orgSourcedId"]) for result in (root, said)
    )


def test_sessions_without_a_root_are_refused_with_the_setting_to_add(tmp_path: Path) -> None:
    """Two organizations above all others, and neither is a district."""
    rows = changed(district(), "s1", parentSourcedId="")
    rows = changed(rows, "d", type="local")

    assert "target_session_org" in rules(carried(tmp_path, rows))


def test_references_to_what_the_target_refused_are_left_out(tmp_path: Path) -> None:
    """Unless the target holds it from an earlier run."""
    rows = changed(district(), "mum", email="")
    standing = judged(tmp_path, rows).standing

    new, held = (
        map_to_target(standing, feed_vocabulary(TIMEBACK.vocabulary), known, ENTITIES, None)
        for known in ({}, ledger(users=["mum"]))
    )

    assert ([None], ["mum"]) == tuple(
        result.standing["users"].accepted.filter(sourcedId="ana")["agentSourcedIds"].to_list()
        for result in (new, held)
    )


def test_files_that_are_not_carried_are_told(tmp_path: Path) -> None:
    """A valid gradebook is no fault."""
    roster = normalize(
        "oneroster",
        raw(tmp_path, {**district(), "categories": [{"sourcedId": "k", "title": "Homework"}]}),
        ReadingOptions(TODAY),
    )

    assert [("not_carried", "categories.csv", 1)] == [
        (n.rule, n.file, n.count)
        for part in files_without_place(roster, TIMEBACK.vocabulary, ENTITIES)
        for n in part.notices
    ]


def test_references_to_what_the_target_does_not_have_are_left_out(tmp_path: Path) -> None:
    """A class is sent without its terms to a target without sessions, and nothing waits for them."""
    standing = judged(tmp_path, district()).standing
    entities = [name for name in ENTITIES if name != "academicSessions"]

    result = map_to_target(standing, feed_vocabulary(TIMEBACK.vocabulary), {}, entities, None)

    classes = result.standing["classes"].accepted
    assert (2, False, True) == (
        classes.height,
        "termSourcedIds" in classes.columns,
        "schoolSourcedId" in classes.columns,
    )
    assert "academicSessions" not in result.standing


def test_parts_that_refer_to_what_the_target_does_not_have_are_told(tmp_path: Path) -> None:
    """Roles name organizations: without those, the target has no place for them either; profiles name users alone."""
    roster = normalize("oneroster", raw(tmp_path, district()), ReadingOptions(TODAY))
    entities = [name for name in ENTITIES if name != "orgs"]

    told = {
        n.file
        for part in files_without_place(roster, TargetVocabulary(), entities)
        for n in part.notices
    }

    assert {"orgs.csv", "roles.csv"} == told


def test_a_target_that_wants_nothing_more_gets_records_as_they_are(tmp_path: Path) -> None:
    """No address is asked for, no role is mapped, and terms have no organization."""
    rows = changed(changed(district(), "bo", email=""), "r3", role="ext:coach")

    result = carried(tmp_path, rows, feed_vocabulary(TargetVocabulary()))

    users, sessions = (
        result.standing["users"].accepted,
        result.standing["academicSessions"].accepted,
    )
    assert (4, set()) == (users.height, rules(result))
    assert "ext:coach" in str(users.filter(sourcedId="tia")["roles"][0])
    assert "orgSourcedId" not in sessions.columns
