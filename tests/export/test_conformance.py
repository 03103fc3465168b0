"""The checker of the standard's rules finds what is planted, and nothing in an export under --strict."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.export.conformance import breaches
from tests.export.exporting import SAMPLES, rows
from tests.export.rereading import made_of, zipped
from tests.layouts.normalizing import normalized
from tests.rosters import Row, Rows, changed, district, drop, without
from transforms.export import BulkExport
from transforms.sources import LAYOUTS

NEGATIVE = (
    "bulk-lifecycle-status", "duplicate-sourcedid", "field-parser", "missing-target-record", "schema-header-and-metadata", "semantic-validation",
)  # fmt: skip


def strictly(folder: Path, table: Rows) -> Path:
    """Write the zip of some rows under --strict."""
    return zipped(made_of(normalized(drop(folder / "drop", table)), strict=True), folder)


@pytest.fixture(scope="module")
def conformant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip without a breach."""
    return strictly(tmp_path_factory.mktemp("conformant"), district())


def spoiled(zip_: Path, copy: Path, name: str, spoil: Callable[[list[Row]], None]) -> Path:
    """Copy a zip, and change the rows of one of its files."""
    with zipfile.ZipFile(zip_) as archive:
        files = {one: archive.read(one).decode() for one in archive.namelist()}
    reader = csv.DictReader(io.StringIO(files[name], newline=""))
    table = list(reader)
    spoil(table)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, reader.fieldnames or ())
    writer.writeheader()
    writer.writerows(table)
    with zipfile.ZipFile(copy, "w") as archive:
        for one, text in (files | {name: out.getvalue()}).items():
            archive.writestr(one, text)
    return copy


def cells(file: str, column: str, value: str, expected: str) -> tuple[str, str, str, str]:
    """Plant a value in the first row of a file."""
    return file, column, value, expected


@pytest.mark.parametrize(
    ("file", "column", "value", "expected"),
    [
        cells("users", "sourcedId", "a b", "users 1 sourcedId: 'a b'"),
        cells("users", "status", "active", "users 1 status: not blank"),
        cells("users", "givenName", "", "users 1 givenName: required"),
        cells("users", "enabledUser", "TRUE", "users 1 enabledUser: no boolean in 'TRUE'"),
        cells("users", "userIds", "LDAP:1", "users 1 userIds: no pair in 'LDAP:1'"),
        cells("users", "agentSourcedIds", "eve", "users 1 agentSourcedIds: eve is not in users"),
        cells("users", "primaryOrgSourcedId", "s2", "users ana primaryOrgSourcedId: no role there"),
        cells("orgs", "type", "College", "orgs 1 type: no org in 'College'"),
        cells("academicSessions", "startDate", "2026-02-30",
              "academicSessions 2 startDate: no date in '2026-02-30'"),
        cells("classes", "schoolSourcedId", "d", "classes 1 schoolSourcedId: d is no school"),
        cells("classes", "subjects", "Math", "classes c1 subjectCodes: [1, 0]"),
        cells("classes", "grades", "05,,06", "classes 1 grades: a blank item in '05,,06'"),
        cells("roles", "roleType", "secondary", "roles ('ana', 's1'): none is primary"),
        cells("enrollments", "role", "pupil", "enrollments 1 role: no member in 'pupil'"),
        cells("enrollments", "primary", "true", "enrollments e1: primary, and no teacher"),
        cells("demographics", "sourcedId", "eve", "demographics eve: no user"),
        cells("manifest", "value", "1.1", "manifest manifest.version: '1.1'"),
    ],
)  # fmt: skip
def test_the_checker_finds_what_is_planted(
    file: str, column: str, value: str, expected: str, conformant: Path, tmp_path: Path
) -> None:
    """One cell of a zip that had no breach."""
    assert [] == breaches(conformant)

    def plant(table: list[Row]) -> None:
        first = table[1 if column == "startDate" else 0]
        first[column] = value

    assert expected in breaches(spoiled(conformant, tmp_path / "out.zip", f"{file}.csv", plant))


@pytest.mark.parametrize("name", NEGATIVE)
def test_the_checker_refuses_zips_that_others_refuse(name: str, real_drops: Path) -> None:
    """The invalid bulk zips of another project."""
    folder = real_drops / "oneroster-1.2-longsight" / "negative"

    assert [] != breaches(next(folder.glob(f"{name}-failure*.zip")))


@pytest.mark.parametrize("name", ["oneroster_1_1", "oneroster_1_2", "learning", *LAYOUTS])
def test_a_sample_under_strict_breaks_no_rule(name: str, tmp_path: Path) -> None:
    """Of each layout, with its dirt."""
    made = made_of(normalized(SAMPLES / name), strict=True)

    assert_conformant(made, tmp_path)


REAL = (
    "canvas", "oneroster-1.1-district", "sds-v1-other-headers", "sds/SDS UK/25 Users", "sds/SDS v1/100 Users",
    "sds/SDS v1/Min Required Attributes", "sds/SDS v2", "sds/SDS v2.1",
    *(f"oneroster-1.2-longsight/valid/{name}.zip" for name in ("full-bulk-package", "gradebook-bulk-package", "minimal-bulk-rostering",
      "resources-bulk-package", "rostering-bulk-package")),
)  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_a_real_drop_under_strict_breaks_no_rule(
    name: str, real_drops: Path, tmp_path: Path
) -> None:
    """Of whoever wrote it, with its dirt."""
    made = made_of(normalized(real_drops / name), strict=True)

    assert made.tables
    assert_conformant(made, tmp_path)


def assert_conformant(made: BulkExport, folder: Path) -> None:
    """Neither the checker nor the report finds a breach in an export."""
    if made.tables:
        assert [] == breaches(zipped(made, folder))
    assert "export_breach" not in {notice.rule for notice in made.findings.notices}


@pytest.mark.parametrize("subjects", [("Math", ""), ("", "02"), ("Math,Art", "02")])
def test_lists_of_unequal_length_are_left_blank(subjects: tuple[str, str], tmp_path: Path) -> None:
    """The standard wants a code for each subject, and nobody knows which; the report says so."""
    lists = dict(zip(("subjects", "subjectCodes"), subjects, strict=True))
    made = made_of(
        normalized(drop(tmp_path / "drop", changed(district(), "c1", **lists))), strict=True
    )

    notices = [(one.rule, one.file, one.column, one.count) for one in made.findings.notices]
    assert [] == breaches(zipped(made, tmp_path))
    assert [("export_fitted", "classes.csv", "subjectCodes", 1)] == notices
    assert [(None, None), (None, None)] == made.tables["classes"].select(list(lists)).rows()


def test_lists_of_equal_length_stay(tmp_path: Path) -> None:
    """They are what the standard has."""
    made = made_of(normalized(drop(tmp_path / "drop", district())), strict=True)

    assert [("Math", "02")] == made.tables["courses"].select("subjects", "subjectCodes").rows()


def test_a_contact_without_a_username_gets_the_id(tmp_path: Path) -> None:
    """Contacts are not left out because they never sign in."""
    made = made_of(
        normalized(drop(tmp_path / "drop", changed(district(), "mum", username=""))), strict=True
    )

    users = dict(made.tables["users"].select("sourcedId", "username").rows())
    assert {"ana": "ana", "bo": "bo", "mum": "mum", "tia": "tia"} == users
    assert [("export_fitted", "username")] == [
        (one.rule, one.column) for one in made.findings.notices
    ]


def test_a_contact_with_another_role_needs_a_real_username(tmp_path: Path) -> None:
    """A teacher who is a parent too signs in."""
    table = changed(district(), "mum", username="")
    table["roles"].append(
        {"sourcedId": "r5", "userSourcedId": "mum", "roleType": "primary", "role": "teacher", "orgSourcedId": "s2"}
    )  # fmt: skip
    made = made_of(normalized(drop(tmp_path / "drop", table)), strict=True)

    assert "mum" not in made.tables["users"]["sourcedId"]


def test_the_only_role_in_an_organization_is_the_primary_one(tmp_path: Path) -> None:
    """The REST binding wants one, and there is no other."""
    made = made_of(
        normalized(drop(tmp_path / "drop", changed(district(), "r2", roleType="secondary"))),
        strict=True,
    )

    assert ["primary"] * 4 == made.tables["roles"]["roleType"].to_list()


def test_a_primary_organization_without_a_role_is_left_blank(tmp_path: Path) -> None:
    """A person belongs where a role is."""
    table = district()
    for row in table["users"]:
        row["primaryOrgSourcedId"] = "s1"
    made = made_of(normalized(drop(tmp_path / "drop", table)), strict=True)

    homes = {row["userSourcedId"] for row in table["roles"] if row["orgSourcedId"] == "s1"}
    assert {
        row["sourcedId"]: "s1" if row["sourcedId"] in homes else None for row in table["users"]
    } == dict(made.tables["users"].select("sourcedId", "primaryOrgSourcedId").rows())


def test_only_teachers_are_primary(tmp_path: Path) -> None:
    """A student's `true` becomes `false`."""
    made = made_of(
        normalized(drop(tmp_path / "drop", changed(district(), "e1", primary="true"))), strict=True
    )

    assert ["false", None, "true"] == made.tables["enrollments"]["primary"].to_list()


def test_without_strict_cells_stay_and_the_zip_is_not_called_conformant(tmp_path: Path) -> None:
    """A sync of the zip sends nothing, so the zip has what the drop has."""
    run = rows(tmp_path, changed(district(), "c1", subjects="Math", subjectCodes=""))
    strict = rows(
        tmp_path, changed(district(), "c1", subjects="Math", subjectCodes=""), "--strict", "--force"
    )

    assert [(0, False), (0, True)] == [(one.code, one.json["conformant"]) for one in (run, strict)]
    assert [] == breaches(tmp_path / "out.zip")


def test_who_lacks_more_than_a_username_is_still_left_out(tmp_path: Path) -> None:
    """Fitting cells makes up no people."""
    table = without(changed(district(), "mum", username="", familyName=""), "r4")
    made = made_of(normalized(drop(tmp_path / "drop", table)), strict=True)

    assert "mum" not in made.tables["users"]["sourcedId"]
