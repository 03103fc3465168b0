"""One fault at a time: which rule names it, what is rejected for it, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.judging import ALWAYS, accepted, errors, judged, judged_drop, ledger, rules
from tests.rosters import DISTRICT, Rows, changed, delta, district, without


@dataclass(frozen=True)
class Fault:
    """A changed record, the error that names it, and the records that fall with it."""

    name: str
    record: str
    cells: dict[str, str]
    rule: str
    fall: tuple[str, ...] = ()


FAULTS = (
    Fault("a required cell is blank", "bo", {"givenName": ""}, "required", ("e2",)),
    Fault("an id with a space inside", "e2", {"sourcedId": "e 2"}, "guid"),
    Fault("an id that is too long", "e2", {"sourcedId": "e" * 256}, "no_id"),
    Fault("a word outside the vocabulary", "s2", {"type": "college"}, "vocabulary", ("bo", "c2", "e2")),
    Fault("not a boolean", "bo", {"enabledUser": "perhaps"}, "boolean", ("e2",)),
    Fault("a day that does not exist", "e1", {"beginDate": "2026-02-30"}, "date"),
    Fault("a date in another order", "ana", {"birthDate": "03/04/2015"}, "date_order"),
    Fault("not a year", "y", {"schoolYear": "20X7"}, "year", ("c2", "e2")),
    Fault("a list with a blank item", "co", {"grades": "05,,06"}, "list", ("c1", "c2", "e1", "e2", "e3")),
    Fault("ids in other systems without a type", "bo", {"userIds": "LDAP12"}, "user_ids", ("e2",)),
    Fault("a class of an unknown course", "c1", {"courseSourcedId": "nowhere"}, "dangling", ("e1", "e3")),
    Fault("one of two terms is unknown", "c2", {"termSourcedIds": "y,nowhere"}, "dangling", ("e2",)),
    Fault("an enrollment of nobody", "e1", {"userSourcedId": "nobody"}, "dangling"),
    Fault("demographics of nobody", "ana", {"sourcedId": "nobody"}, "dangling"),
)  # fmt: skip
OF_DEMOGRAPHICS = ("birthDate", "sourcedId")


def faulty(fault: Fault) -> Rows:
    """Put a fault into the district; `ana` has demographics, whose columns are meant by their names."""
    rows = district()
    entity = "demographics" if fault.record == "ana" else None
    return {
        name: [
            row | fault.cells
            if row["sourcedId"] == fault.record and entity in (None, name)
            else row
            for row in table
        ]
        for name, table in rows.items()
    }


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_rejects_its_record_and_those_that_need_it(fault: Fault, tmp_path: Path) -> None:
    """The fault is named once, what hangs on it falls with the root cause named, and all else is accepted."""
    checked = judged(tmp_path, faulty(fault))

    roots = [
        rule for _, _, rule in errors(checked) if rule not in ("parent_rejected", "part_rejected")
    ]
    fallen = {
        one for _, one, rule in errors(checked) if rule in ("parent_rejected", "part_rejected")
    }
    assert [fault.rule] == roots
    assert set(fault.fall) == {one for one in fallen if not one.startswith("r")}
    before = {row["sourcedId"] for table in DISTRICT.values() for row in table}
    kept = {one for name in checked.standing for one in accepted(checked, name)}
    assert {*fault.fall, fault.record} - {"ana"} == before - kept - {"r1", "r2", "r3", "r4"}


def test_the_district_is_accepted_even_under_strict(tmp_path: Path) -> None:
    """Nothing is found in a drop in which nothing is wrong."""
    assert set() == rules(judged(tmp_path, district(), strict=True))


def test_the_root_cause_is_named_through_the_generations(tmp_path: Path) -> None:
    """An enrollment tells which course is at fault, not which class."""
    checked = judged(tmp_path, changed(district(), "co", orgSourcedId="nowhere"))

    causes = dict(
        checked.findings.errors.filter(rule="parent_rejected")
        .select("sourcedId", "value")
        .iter_rows()
    )
    assert (
        dict.fromkeys(("c1", "c2", "e1", "e2", "e3"), "courses.csv row 1, orgSourcedId: dangling")
        == causes
    )


def test_every_error_of_a_row_is_told(tmp_path: Path) -> None:
    """A row with three faults has three errors, and is one rejected record."""
    checked = judged(
        tmp_path,
        changed(district(), "e1", role="pupil", beginDate="soon", classSourcedId="nowhere"),
    )

    assert {"vocabulary", "date", "dangling"} == rules(checked)
    assert {"read": 3, "merged": 0, "rejected": 1, "unshared": 0} == checked.standing[
        "enrollments"
    ].counts


def test_equal_rows_merge_and_different_rows_fall(tmp_path: Path) -> None:
    """An exact duplicate is counted; two different rows with one id are both refused, as one record."""
    rows = district()
    rows["enrollments"] += [rows["enrollments"][0], rows["enrollments"][1] | {"role": "teacher"}]

    checked = judged(tmp_path, rows)

    assert ["e1", "e3"] == accepted(checked, "enrollments")
    assert [("enrollments", "e2", "conflict")] * 2 == errors(checked)
    assert {"read": 4, "merged": 1, "rejected": 1, "unshared": 0} == checked.standing[
        "enrollments"
    ].counts


OPTIONAL = (("s1", "parentSourcedId", "orgs"), ("t1", "parentSourcedId", "academicSessions"), ("ana", "agentSourcedIds", "users"),
            ("co", "schoolYearSourcedId", "courses"), ("bo", "primaryOrgSourcedId", "users"))  # fmt: skip


@pytest.mark.parametrize(("record", "column", "entity"), OPTIONAL)
def test_an_optional_reference_to_nothing_is_left_out(
    record: str, column: str, entity: str, tmp_path: Path
) -> None:
    """The record is accepted without it; under `--strict` it is an error."""
    rows = district()
    rows[entity] = [
        row | {column: "nowhere"} if row["sourcedId"] == record else row for row in rows[entity]
    ]

    lenient, strict = judged(tmp_path, rows), judged(tmp_path, rows, strict=True)

    left = lenient.standing[entity].accepted.filter(sourcedId=record)
    assert ({"dangling_optional"}, [None]) == (rules(lenient), left[column].to_list())
    assert (entity, record, "dangling_optional") in errors(strict)


def test_one_agent_of_two_is_left_out(tmp_path: Path) -> None:
    """Only the agent that is not there goes."""
    checked = judged(tmp_path, changed(district(), "bo", agentSourcedIds="mum,nobody"))

    assert ["mum"] == checked.standing["users"].accepted.filter(sourcedId="bo")[
        "agentSourcedIds"
    ].to_list()


def test_a_record_is_not_its_own_ancestor(tmp_path: Path) -> None:
    """The parents of a ring of organizations are left out."""
    rows = changed(changed(district(), "s1", parentSourcedId="s2"), "s2", parentSourcedId="s1")

    checked = judged(tmp_path, rows)

    assert {"cycle"} == rules(checked)
    assert {None} == set(checked.standing["orgs"].accepted["parentSourcedId"])


def test_a_user_needs_a_role(tmp_path: Path) -> None:
    """A user without any is refused, and so are those who need the user."""
    checked = judged(tmp_path, without(district(), "r2"))

    assert {("users", "bo", "role_missing"), ("enrollments", "e2", "parent_rejected")} == set(
        errors(checked)
    )


def test_a_faulty_role_refuses_its_user(tmp_path: Path) -> None:
    """No user is sent with a role missing for a typing error; the role's row is named."""
    checked = judged(tmp_path, changed(district(), "r2", role="pupil"))

    assert {
        ("roles", "r2", "vocabulary"),
        ("users", "bo", "part_rejected"),
        ("enrollments", "e2", "parent_rejected"),
    } == set(errors(checked))
    assert ["roles.csv row 2, role: vocabulary"] == checked.findings.errors.filter(
        rule="part_rejected"
    )["value"].to_list()


def test_a_role_of_nobody_is_a_record_that_was_refused(tmp_path: Path) -> None:
    """A user of whom only a role is there has not vanished."""
    checked = judged(
        tmp_path,
        {**district(), "users": [row for row in DISTRICT["users"] if row["sourcedId"] != "bo"]},
    )

    assert "bo" in checked.standing["users"].refused["sourcedId"].to_list()
    assert {"read": 4, "merged": 0, "rejected": 1, "unshared": 0} == checked.standing[
        "users"
    ].counts


@pytest.mark.parametrize(
    ("role", "rule"),
    [
        (
            {
                "sourcedId": "r5",
                "userSourcedId": "bo",
                "roleType": "primary",
                "role": "teacher",
                "orgSourcedId": "s2",
            },
            "two_primary_roles",
        ),
        (
            {
                "sourcedId": "r5",
                "userSourcedId": "bo",
                "roleType": "secondary",
                "role": "aide",
                "orgSourcedId": "s1",
            },
            "no_primary_role",
        ),
    ],
)
def test_one_role_is_the_primary_one(role: dict[str, str], rule: str, tmp_path: Path) -> None:
    """Two primary roles in one organization, or none, are reported; nothing is refused."""
    rows = district()
    rows["roles"].append(role)

    checked = judged(tmp_path, rows)

    assert ({rule}, 0) == (rules(checked), checked.findings.errors.height)


def test_a_rejected_parent_that_the_target_holds_is_kept_as_a_reference(tmp_path: Path) -> None:
    """A bad row of tonight does not take a school out of its district."""
    rows = changed(district(), "d", type="kingdom")
    known = ledger(orgs=["d"])

    checked = judged(tmp_path, rows, known)

    assert ["d", "d"] == checked.standing["orgs"].accepted["parentSourcedId"].to_list()


def test_a_delta_refers_to_what_was_loaded_before(tmp_path: Path) -> None:
    """The ledger answers for what the drop does not hold."""
    rows = delta(
        {
            "enrollments": [
                {
                    "sourcedId": "e9",
                    "classSourcedId": "c1",
                    "schoolSourcedId": "s1",
                    "userSourcedId": "ana",
                    "role": "student",
                }
            ]
        }
    )
    known = ledger(classes=["c1"], orgs=["s1"], users=["ana"])

    assert ["e9"] == accepted(judged(tmp_path, rows, known, mode="delta"), "enrollments")
    assert [] == accepted(
        judged(tmp_path, rows, ledger(classes=["c1"], orgs=["s1"], users=[]), mode="delta"),
        "enrollments",
    )


def test_a_delta_of_a_role_needs_its_user(tmp_path: Path) -> None:
    """What a user's other roles are, a role alone does not say."""
    rows = delta({"roles": [DISTRICT["roles"][1]]})

    checked = judged(tmp_path, rows, ledger(users=["bo"], orgs=["s2"]), mode="delta")

    assert [("roles", "r2", "role_without_user")] == errors(checked)


def test_a_delta_may_leave_out_the_roles_of_a_user_that_was_loaded(tmp_path: Path) -> None:
    """Then the roles stay as they are in the target."""
    rows = delta({"users": [DISTRICT["users"][1]]})

    known, unknown = (
        judged(tmp_path, rows, ledger(users=ids), mode="delta") for ids in (["bo"], [])
    )

    assert (["bo"], False) == (accepted(known, "users"), "roles" in known.standing["users"].said)
    assert [("users", "bo", "role_missing")] == errors(unknown)


def test_delta_rows_need_their_lifecycle(tmp_path: Path) -> None:
    """Without status and date a delta row says nothing."""
    checked = judged(tmp_path, {"orgs": DISTRICT["orgs"][:1]}, mode="delta")

    assert [("orgs", "d", "delta_required")] * 2 == errors(checked)


def test_a_filled_status_in_bulk_is_read(tmp_path: Path) -> None:
    """Most real exports fill it, and only a row that deletes its record is an alarm; under `--strict` all are."""
    rows = changed(changed(district(), "e1", status="active"), "e2", status="inactive")

    checked = judged(tmp_path, rows)

    assert {"status_in_bulk": 1, "deleted_in_bulk": 1} == {
        notice.rule: notice.count
        for notice in checked.findings.notices
        if notice.rule not in ALWAYS
    }
    assert (["e1", "e3"], ["e2"]) == (
        accepted(checked, "enrollments"),
        checked.standing["enrollments"].gone.to_list(),
    )
    assert "status_in_bulk" in {rule for _, _, rule in errors(judged(tmp_path, rows, strict=True))}


def test_a_row_that_names_nobody_makes_it_unsure_who_is_missing(tmp_path: Path) -> None:
    """A blank id, or a broken row whose id the ledger does not know, may be anyone."""
    blank = judged(
        tmp_path, changed(district(), "e1", sourcedId=""), ledger(enrollments=["e1", "e9"])
    )

    assert blank.standing["enrollments"].blurred
    assert (
        not judged(tmp_path, changed(district(), "e1", role="pupil"))
        .standing["enrollments"]
        .blurred
    )


@pytest.mark.parametrize("damaged", ["3.60E+11", "{e1}", "e1#", "e 1"])
def test_a_row_whose_id_is_damaged_makes_it_unsure_who_is_missing(
    damaged: str, tmp_path: Path
) -> None:
    """It may be any; a damaged reference leaves the record's own id as it is, and so do rows with one id that differ."""
    known = ledger(enrollments=["e1", "e2"])
    row = judged(tmp_path, changed(district(), "e1", sourcedId=damaged), known).standing[
        "enrollments"
    ]
    reference = judged(tmp_path, changed(district(), "e1", userSourcedId=damaged), known).standing[
        "enrollments"
    ]
    twice = district() | {
        "enrollments": [*district()["enrollments"], district()["enrollments"][0] | {"role": "aide"}]
    }

    assert ([damaged], True) == (row.refused["sourcedId"].to_list(), row.blurred)
    assert (["e1"], False) == (reference.refused["sourcedId"].to_list(), reference.blurred)
    assert not judged(tmp_path, twice, known).standing["enrollments"].blurred


def test_a_part_of_nobody_takes_no_part_of_anybody(tmp_path: Path) -> None:
    """A role whose user is damaged may be anybody's: whoever lacks one in this drop keeps it."""
    second = district()["roles"][0] | {"sourcedId": "r9", "orgSourcedId": "s2"}
    roles = [*district()["roles"], second]

    sound = judged(tmp_path, district() | {"roles": roles})
    damaged = judged(
        tmp_path, district() | {"roles": [*roles[:-1], second | {"userSourcedId": "a na"}]}
    )

    assert (frozenset(), frozenset({"roles"})) == (
        sound.standing["users"].partial,
        damaged.standing["users"].partial,
    )


def test_a_broken_row_protects_the_record_that_it_names(tmp_path: Path) -> None:
    """An unquoted comma further right leaves the id readable."""
    judged(tmp_path, district())
    file = tmp_path / "enrollments.csv"
    file.write_text(
        file.read_text().replace("bo,student,,,", "bo,student,,,, and more"), newline=""
    )

    checked = judged_drop(tmp_path, ledger(enrollments=["e2", "e9"]))

    assert [("enrollments", "e2", "ragged_row")] == errors(checked)
    assert (["e2"], False) == (
        checked.standing["enrollments"].refused["sourcedId"].to_list(),
        checked.standing["enrollments"].blurred,
    )


@pytest.mark.parametrize("entity", ["users", "demographics"])
def test_a_file_without_rows_is_refused_if_it_had_some(entity: str, tmp_path: Path) -> None:
    """An export that came out empty is an accident until a person says otherwise."""
    judged(tmp_path, district())
    file = tmp_path / f"{entity}.csv"
    file.write_text(file.read_text().splitlines()[0] + "\r\n", newline="")
    checked = judged_drop(tmp_path, ledger(**{entity: ["ana"]}))

    assert ["emptied"] == checked.findings.fatal["rule"].to_list()


def test_ids_that_differ_in_case_are_told(tmp_path: Path) -> None:
    """They are two records, and perhaps a mistake."""
    rows = district()
    rows["enrollments"].append(rows["enrollments"][0] | {"sourcedId": "E1"})

    checked = judged(tmp_path, rows)

    assert ({"id_case"}, 4) == (rules(checked), len(accepted(checked, "enrollments")))
