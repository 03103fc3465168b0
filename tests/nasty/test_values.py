"""Values as exports write them: read where only one thing can be meant, told, and never guessed."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from tests.judging import accepted, errors, judged, judged_drop, rules
from tests.rosters import DISTRICT, Rows, changed, csv_text, delta, district, drop
from transforms.payload import json_records
from transforms.schemas import ENTITIES


def cells(folder: Path, rows: Rows, entity: str, column: str) -> tuple[list[str | None], set[str]]:
    """Give a column of the records that were accepted, and the rules that were broken."""
    checked = judged(folder, rows)
    return checked.standing[entity].accepted[column].to_list(), rules(checked)


LISTS = (
    ('["05"]', "05", "respelled"),
    ('["05", "06"]', "05,06", "respelled"),
    ("[5,6]", "5,6", "respelled"),
    ("[]", None, "respelled"),
    ("05;06", "05,06", "respelled"),
    ("05; 06;", "05,06", "respelled"),
    ("05, 06", "05,06", "respelled"),
    ("05,06;07", "05,06;07", None),
    ('["05"', '["05"', None),
    ("05 06", "05 06", None),
)


@pytest.mark.parametrize(("written", "expected", "rule"), LISTS)
def test_lists_are_read_in_any_clear_spelling(
    written: str, expected: str | None, rule: str | None, tmp_path: Path
) -> None:
    """Brackets and semicolons are read as the standard's commas; where it is not clear what separates, the cell stays."""
    rows = {**district(), "courses": [DISTRICT["courses"][0] | {"grades": written}]}

    assert ([expected], {rule} - {None}) == cells(tmp_path, rows, "courses", "grades")


def test_references_in_other_lists_lead_where_they_should(tmp_path: Path) -> None:
    """Terms in brackets or with a semicolon are found; items in braces keep theirs."""
    rows = changed(
        changed(district(), "c2", termSourcedIds='["y","t1"]'), "bo", userIds="{LDAP:a;b}"
    )

    checked = judged(tmp_path, rows)

    assert ["t1", "y,t1"] == checked.standing["classes"].accepted["termSourcedIds"].to_list()
    assert "{LDAP:a;b}" in checked.standing["users"].accepted["userIds"].to_list()


def test_items_in_braces_may_have_spaces_between_them(tmp_path: Path) -> None:
    """Only the spaces go."""
    rows = changed(district(), "bo", userIds="{LDAP:1} , {LTI:2}")

    ids, broken = cells(tmp_path, rows, "users", "userIds")

    assert ("{LDAP:1},{LTI:2}" in ids, broken) == (True, {"respelled"})


def numbered(suffix: str) -> Rows:
    """Give the district with numbers for the ids of its people, written with a suffix."""
    numbers = {"ana": "1", "bo": "2", "tia": "3", "mum": "4"}
    named = {user: number + suffix for user, number in numbers.items()}
    columns = ("sourcedId", "userSourcedId", "agentSourcedIds")
    return {
        name: [
            row
            | {column: named.get(row[column], row[column]) for column in columns if column in row}
            for row in table
        ]
        for name, table in district().items()
    }


def test_ids_that_all_became_decimals_are_mended(tmp_path: Path) -> None:
    """`12345.0` in every row is a program's doing; the people and all that names them stay who they were."""
    whole, decimal = judged(tmp_path, numbered("")), judged(tmp_path, numbered(".0"))

    assert {"decimal_ids"} == rules(decimal)
    for name, part in whole.standing.items():
        assert part.accepted.equals(decimal.standing[name].accepted), name


def test_ids_of_which_some_are_decimals_stay_and_lead_nowhere(tmp_path: Path) -> None:
    """Nobody can tell whether 2.0 is 2: what names it is rejected."""
    rows = changed(district(), "e2", userSourcedId="2.0")

    checked = judged(tmp_path, rows)

    assert [("enrollments", "e2", "dangling")] == errors(checked)


def test_an_id_in_powers_of_ten_is_none(tmp_path: Path) -> None:
    """Its digits are lost."""
    checked = judged(tmp_path, changed(district(), "e2", sourcedId="3.60E+11"))

    assert [("enrollments", "3.60E+11", "no_id")] == errors(checked)


def test_ids_lose_what_cannot_be_seen(tmp_path: Path) -> None:
    """Zero-width characters come in by copy and paste."""
    rows = changed(district(), "e2", sourcedId="\u200be2\ufeff", userSourcedId="\u3000bo\u200b")

    assert (["e1", "e2", "e3"], {"padded"}) == cells(tmp_path, rows, "enrollments", "sourcedId")


def test_a_grade_that_became_a_date_is_left_out_by_the_target_and_not_by_the_check(
    tmp_path: Path,
) -> None:
    """OneRoster has no list of grades that all systems keep to."""
    rows = {**district(), "courses": [DISTRICT["courses"][0] | {"grades": "8-Jun"}]}

    assert (["8-Jun"], set()) == cells(tmp_path, rows, "courses", "grades")


@pytest.mark.parametrize(
    "written", ["1/05/2023", "2012-04-23", "2099-01-01T00:00:00Z", "yesterday"]
)
def test_nobody_asks_when_a_row_of_a_snapshot_was_changed(written: str, tmp_path: Path) -> None:
    """It is compared with what was sent; in a delta the standard wants a true moment."""
    lenient = judged(tmp_path, changed(district(), "e1", dateLastModified=written))

    assert ({"status_in_bulk"}, ["e1", "e2", "e3"]) == (
        rules(lenient),
        accepted(lenient, "enrollments"),
    )


def test_a_delta_row_needs_a_true_moment(tmp_path: Path) -> None:
    """Else it is not certain what it says."""
    rows = delta({"orgs": DISTRICT["orgs"][:1]})
    rows["orgs"][0]["dateLastModified"] = "1/05/2023"

    assert [("orgs", "d", "datetime")] == errors(judged(tmp_path, rows, mode="delta"))


NAMES = (
    "X Æ",
    "ANA",
    "Diaz, Ana",
    "Dr. Ana Diaz",
    "Keihanaikukauakahihuliheekahaunaele" * 8,
    "太郎",
    "😀",
    "O’Brien",
    "d'Angelo",
    "M",
    "Null",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_pass_as_they_are(name: str, tmp_path: Path) -> None:
    """People know how they are called: nothing is swapped, cut or corrected."""
    rows = changed(
        district(), "bo", givenName=name, familyName=name, phone="555-0100 ext. 7, ask for Bo"
    )

    people = judged(tmp_path, rows).standing["users"].accepted.filter(sourcedId="bo")

    assert [(name, name, "555-0100 ext. 7, ask for Bo")] == people.select(
        "givenName", "familyName", "phone"
    ).rows()


def test_a_user_needs_no_username(tmp_path: Path) -> None:
    """1.2 leaves it open."""
    checked = judged(tmp_path, changed(district(), "bo", username=""))

    assert (set(), 4) == (rules(checked), len(accepted(checked, "users")))


@pytest.mark.parametrize("email", ["tia@example.edu", "TIA@EXAMPLE.EDU"])
def test_an_address_that_two_people_have_is_told(email: str, tmp_path: Path) -> None:
    """An address is never a key: both are taken as they are."""
    checked = judged(tmp_path, changed(district(), "bo", email=email))

    assert ({"email_shared"}, 4) == (rules(checked), len(accepted(checked, "users")))


@pytest.mark.parametrize(
    ("column", "values", "rule"),
    [
        ("username", ("afern", "AFERN"), "username_shared"),
        ("identifier", ("1001", "1001"), "identifier_shared"),
        ("userMasterIdentifier", ("X1", "X1"), "master_identifier_shared"),
    ],
)
def test_names_and_numbers_of_two_people_are_told(
    column: str, values: tuple[str, str], rule: str, tmp_path: Path
) -> None:
    """People sign in with them; both people are taken as they are."""
    rows = changed(changed(district(), "tia", **{column: values[0]}), "mum", **{column: values[1]})

    checked = judged(tmp_path, rows)

    assert ({rule}, 4) == (rules(checked), len(accepted(checked, "users")))


def test_a_student_may_have_the_number_of_a_teacher(tmp_path: Path) -> None:
    """Each kind of people has numbers of its own."""
    rows = changed(changed(district(), "bo", identifier="7"), "tia", identifier="7")

    assert set() == rules(judged(tmp_path, rows))


def test_a_manifest_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """Its first property is found."""
    file = drop(tmp_path, district()) / "manifest.csv"
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())

    assert set() == rules(judged_drop(tmp_path))


def test_a_file_with_the_columns_of_another_one_is_refused(tmp_path: Path) -> None:
    """Roles that were exported under the name of profiles are no profiles."""
    drop(tmp_path, district())
    (tmp_path / "userProfiles.csv").write_text(csv_text("roles", DISTRICT["roles"]), newline="")

    checked = judged_drop(tmp_path)

    assert {"userProfiles.csv"} == set(checked.findings.fatal["file"])
    assert {"header_missing"} == set(checked.findings.fatal["rule"])


COMMAS = "{LDAP:cn=Ana Diaz,ou=Students, dc=example},{SIS:99}"


def test_a_comma_inside_braces_is_text(tmp_path: Path) -> None:
    """The person arrives with both ids."""
    rows = district()
    checked = judged(tmp_path, rows | changed({"users": rows["users"]}, "ana", userIds=COMMAS))

    assert [] == errors(checked)
    (record,) = [
        one
        for one in json_records(ENTITIES["users"], checked.standing["users"].accepted)
        if one["sourcedId"] == "ana"
    ]
    assert [
        {"type": "LDAP", "identifier": "cn=Ana Diaz,ou=Students, dc=example"},
        {"type": "SIS", "identifier": "99"},
    ] == record["userIds"]
