"""Manifest, headers, spelling and the lift from 1.1: each lenient reading, and that it is reported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.drops import read
from tests.judging import TODAY, judged_drop, rules
from tests.rosters import DISTRICT, Rows, changed, csv_text, district, drop, manifest
from transforms.layouts.options import ReadingOptions
from transforms.refuse import refusing_findings
from transforms.roster import Roster
from transforms.schemas import ENTITIES
from transforms.schemas.entity import Version
from transforms.sources import normalize


def normalized(folder: Path, *, strict: bool = False) -> Roster:
    """Read and normalize a drop."""
    return normalize("oneroster", read(folder, strict=strict), ReadingOptions(TODAY, strict=strict))


def found(roster: Roster) -> dict[str, str]:
    """Give what was found, by rule, with its detail."""
    errors = dict(roster.findings.errors.select("rule", "value").iter_rows())
    return errors | {notice.rule: notice.detail for notice in roster.findings.notices}


MANIFEST = manifest(dict.fromkeys(DISTRICT, "bulk"))
MANIFESTS: tuple[tuple[str, str, set[str], bool], ...] = (
    ("as the standard says", MANIFEST, set(), False),
    ("another header", MANIFEST.replace(",value", ",propertyValue"), {"manifest_header"}, False),
    ("no header", MANIFEST.removeprefix("propertyName,value\r\n"), {"manifest_header"}, False),
    ("Excel's version", MANIFEST.replace("manifest.version,1.0", "manifest.version,1"), {"manifest_version_spelling"}, False),
    ("version 1.2.1", MANIFEST.replace("version,1.2", "version,1.2.1"), set(), False),
    ("an unknown version", MANIFEST.replace("version,1.2", "version,2.0"), {"manifest_version"}, True),
    ("no version", MANIFEST.replace("oneroster.version,1.2\r\n", ""), {"manifest_version", "manifest_property_missing"}, True),
    ("footnote marks", MANIFEST.replace("file.roles", "file.roles*"), set(), False),
    ("a misspelt property", MANIFEST.replace("file.results", "fiel.results"), {"manifest_property", "manifest_property_missing"}, False),
    ("the source named", MANIFEST + "source.systemName,Some SIS\r\n", set(), False),
    ("a mode left blank", MANIFEST.replace("file.results,absent", "file.results,"), {"manifest_mode_blank"}, False),
    ("an unknown mode", MANIFEST.replace("file.orgs,bulk", "file.orgs,full"), {"manifest_mode", "manifest_file_unexpected"}, True),
    ("two modes of one file", MANIFEST + "file.orgs,delta\r\n", {"manifest_property_twice"}, True),
    ("the same said twice", MANIFEST + "file.orgs,bulk\r\n", set(), False),
    ("a file promised that is not there", MANIFEST.replace("file.results,absent", "file.results,bulk"), {"manifest_file_missing"}, False),
    ("a file called absent that is there", MANIFEST.replace("file.orgs,bulk", "file.orgs,absent"), {"manifest_file_unexpected"}, False),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "broken", "refused"),
    [case[1:] for case in MANIFESTS],
    ids=[case[0] for case in MANIFESTS],
)
def test_manifests(text: str, broken: set[str], refused: bool, tmp_path: Path) -> None:
    """Which rules a manifest breaks, and whether the drop is refused for it."""
    (drop(tmp_path, district()) / "manifest.csv").write_text(text, newline="")

    roster = normalized(tmp_path)

    assert (broken, refused) == (
        set(found(roster)),
        refusing_findings(roster.findings, strict=False).height > 0,
    )


def test_without_a_manifest_nothing_vanishes(tmp_path: Path) -> None:
    """Such a drop is OneRoster 1.0; it does not say that it is complete."""
    (drop(tmp_path, district()) / "manifest.csv").unlink()

    roster = normalized(tmp_path)

    assert ("unknown", "manifest_missing" in found(roster)) == (roster.tables["orgs"].mode, True)


def test_a_manifest_alone_says_that_nothing_changed(tmp_path: Path) -> None:
    """Every file absent is a drop without updates, even under `--strict`."""
    (tmp_path / "manifest.csv").write_text(manifest({}), newline="")

    assert {} == found(normalized(tmp_path, strict=True))


def test_modes_are_per_file(tmp_path: Path) -> None:
    """Bulk and delta may be mixed."""
    drop(tmp_path, district(), modes={"enrollments": "delta"})

    tables = normalized(tmp_path).tables

    assert ("bulk", "delta") == (tables["orgs"].mode, tables["enrollments"].mode)


USERS = csv_text("users", DISTRICT["users"])
HEADERS = (
    ("lower case", USERS.replace("givenName", "givenname"), {"header_renamed"}, "Ana"),
    ("separators", USERS.replace("givenName", "Given_Name"), {"header_renamed"}, "Ana"),
    ("a spelling seen before", USERS.replace("preferredGivenName", "prefferedGivenName"), {"header_renamed"}, "Ana"),
    ("1.0's name of the id", USERS.replace("sourcedId,", "userId,", 1), {"header_renamed"}, "Ana"),
    ("a vendor's column", USERS.replace("\r\n", ",x\r\n").replace("pronouns,x", "pronouns,shoeSize", 1), {"header_unknown"}, "Ana"),
    ("a vendor's extension", USERS.replace("\r\n", ",x\r\n").replace("pronouns,x", "pronouns,ext_bus", 1), {"header_renamed"}, "Ana"),
    ("the column of 1.2.0", USERS.replace("userMasterIdentifier,", "userMasterIdentifier,resourceSourcedIds,", 1), None, "Ana"),
    ("one letter off", USERS.replace("givenName", "givenNames"), {"header_renamed"}, "Ana"),
    ("two letters exchanged", USERS.replace("givenName", "gievnName"), {"header_renamed"}, "Ana"),
    ("the name in the API", USERS.replace("agentSourcedIds", "agents"), {"header_renamed"}, "Ana"),
    ("two columns near one", USERS.replace("familyName", "familyNames").replace("middleName", "famlyName"), {"header_missing", "header_optional_missing", "header_unknown"}, None),
    ("required column missing", USERS.replace("familyName", "surnames"), {"header_missing", "header_unknown"}, None),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "broken", "name"), [case[1:] for case in HEADERS], ids=[case[0] for case in HEADERS]
)
def test_headers(text: str, broken: set[str] | None, name: str | None, tmp_path: Path) -> None:
    """Columns are matched by name, however it is spelt; each rename is reported."""
    (drop(tmp_path, district()) / "users.csv").write_text(text, encoding="utf-8", newline="")

    roster = normalized(tmp_path)

    if broken is not None:
        assert broken == set(found(roster))
    if name is None:
        assert (["users"], True) == (
            sorted(roster.broken),
            refusing_findings(roster.findings, strict=False).height > 0,
        )
    else:
        assert name == roster.tables["users"].frame["givenName"][0]


def test_a_misspelt_required_column_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    """The next step stands in the message."""
    (drop(tmp_path, district()) / "users.csv").write_text(
        USERS.replace("familyName", "familyNames2"), encoding="utf-8", newline=""
    )

    said = found(normalized(tmp_path))["header_missing"]

    assert said.startswith("did you mean 'familyNames2'?")
    assert "[source.columns.users]" in said


def test_the_feed_file_says_what_a_column_is(tmp_path: Path) -> None:
    """A column that it names and the file does not have is a mistake."""
    (drop(tmp_path, district()) / "users.csv").write_text(
        USERS.replace("givenName", "prenom"), encoding="utf-8", newline=""
    )
    options = ReadingOptions(TODAY, columns={"users": {"prenom": "givenName"}})
    idle = replace(options, columns={"users": {"prenom": "givenName", "nom": "familyName"}})

    roster = normalize("oneroster", read(tmp_path), options)
    refused = normalize("oneroster", read(tmp_path), idle)

    assert "Ana" == roster.tables["users"].frame["givenName"][0]
    assert ({"header_renamed"}, True) == (set(found(roster)), "setting_idle" in found(refused))


FILE_NAMES = ("academic_sessions.csv", "AcademicSession.csv", "academicSesions.csv")


@pytest.mark.parametrize("name", FILE_NAMES)
def test_files_with_nearly_the_right_name_are_read(name: str, tmp_path: Path) -> None:
    """The report says so; a file with the right name comes first."""
    drop(tmp_path, district())
    (tmp_path / "academicSessions.csv").rename(tmp_path / name)
    alone = normalized(tmp_path)
    (tmp_path / "academicSessions.csv").write_text(
        csv_text("academicSessions", DISTRICT["academicSessions"][:1])
    )

    both = normalized(tmp_path)

    assert ({"file_name": "read as academicSessions.csv"}, 2) == (
        found(alone),
        alone.tables["academicSessions"].frame.height,
    )
    assert ({"unknown_file": ""}, 1) == (found(both), both.tables["academicSessions"].frame.height)


VERSIONS: tuple[tuple[Version, str | None], ...] = (("1.0", "true"), ("1.1", None))


@pytest.mark.parametrize(("version", "enabled"), VERSIONS)
def test_without_a_manifest_the_columns_say_the_version(
    version: Version, enabled: str | None, tmp_path: Path
) -> None:
    """1.0 does not say who is enabled; 1.1 does, and its columns are not foreign."""
    ana = {"sourcedId": "ana", "orgSourcedIds": "s1", "role": "student", "familyName": "Diaz"}
    (tmp_path / "users.csv").write_text(csv_text("users", [ana], version), newline="")

    roster = normalized(tmp_path)

    assert ([enabled], {"manifest_missing"}) == (
        roster.tables["users"].frame["enabledUser"].to_list(),
        set(found(roster)),
    )


def test_columns_in_another_order_are_read_by_name(tmp_path: Path) -> None:
    """Under `--strict` the drop is refused."""
    drop(tmp_path, district())
    lines = [line.split(",") for line in csv_text("orgs", DISTRICT["orgs"]).splitlines()]
    (tmp_path / "orgs.csv").write_text(
        "\r\n".join(",".join([*line[1:], line[0]]) for line in lines) + "\r\n", newline=""
    )

    assert (["d", "s1", "s2"], {"header_order"}) == (
        normalized(tmp_path).tables["orgs"].frame["sourcedId"].to_list(),
        set(found(normalized(tmp_path))),
    )
    assert refusing_findings(normalized(tmp_path, strict=True).findings, strict=True).height


def spelled(folder: Path, cells: dict[str, dict[str, str]]) -> tuple[Roster, set[str]]:
    """Change cells of the district's records and normalize it."""
    rows: Rows = {
        name: [row | cells.get(f"{name} {row['sourcedId']}", {}) for row in table]
        for name, table in district().items()
    }
    roster = normalized(drop(folder, rows))
    return roster, set(found(roster))


SPELLINGS = (
    ("users", "bo", "enabledUser", "TRUE", "true", "respelled"),
    ("users", "bo", "enabledUser", "0", "false", "respelled"),
    ("users", "bo", "enabledUser", "maybe", "maybe", None),
    ("classes", "c1", "classType", "Scheduled", "scheduled", "respelled"),
    ("classes", "c1", "periods", "1, 2", "1,2", "respelled"),
    ("orgs", "s1", "type", "SCHOOL", "school", "respelled"),
    ("academicSessions", "y", "schoolYear", "2026-2027", "2027", "respelled"),
    ("academicSessions", "y", "schoolYear", "2026-27", "2027", "respelled"),
    ("academicSessions", "y", "schoolYear", "26-27", "2027", "respelled"),
    ("academicSessions", "y", "schoolYear", "2027.0", "2027", "respelled"),
    ("academicSessions", "y", "schoolYear", "2026-2030", "2026-2030", None),
    ("academicSessions", "y", "schoolYear", "11-12", "11-12", None),
    ("users", "bo", "email", "mailto:bo@example.edu;", "bo@example.edu", "respelled"),
    ("users", "bo", "email", "Bo <bo@example.edu>", "bo@example.edu", "respelled"),
    ("users", "bo", "email", "bo@example.edu;b@example.edu", "bo@example.edu;b@example.edu", None),
    ("users", "bo", "userIds", "{A:x, y} , {B:1}", "{A:x, y},{B:1}", "respelled"),
    ("academicSessions", "y", "startDate", "2026-8-5", "2026-08-05", "respelled"),
    ("academicSessions", "y", "startDate", "2026-08-05T00:00:00.000Z", "2026-08-05", "respelled"),
    ("academicSessions", "y", "startDate", "8/5/2026", "8/5/2026", None),
    ("users", "bo", "phone", " 555 ", "555", "padded"),
    ("users", "bo", "phone", "\u3000555\u00a0", "555", "padded"),
    ("users", "bo", "givenName", "Jose\u0301", "José", "padded"),
    ("users", "bo", "phone", "N/A", None, "null_words"),
    ("users", "bo", "familyName", "Null", "Null", None),
    ("orgs", "s1", "identifier", "007", "007", None),
)


@pytest.mark.parametrize(("entity", "record", "column", "value", "expected", "rule"), SPELLINGS)
def test_other_spellings(
    entity: str,
    record: str,
    column: str,
    value: str,
    expected: str | None,
    rule: str | None,
    tmp_path: Path,
) -> None:
    """A value becomes the standard's, and that is reported; what cannot be read stays as it was."""
    roster, broken = spelled(tmp_path, {f"{entity} {record}": {column: value}})

    cell = roster.tables[entity].frame.filter(sourcedId=record)[column].to_list()
    assert ([expected], {rule} if rule else set()) == (cell, broken)


def test_strict_reads_nothing_leniently(tmp_path: Path) -> None:
    """The value stays, and the check names its rule."""
    rows = district()
    rows["users"][1]["enabledUser"] = "TRUE"

    assert {"boolean", "part_rejected"} >= rules(judged_drop(drop(tmp_path, rows), strict=True)) - {
        "parent_rejected"
    }


def test_passwords_are_dropped_when_they_are_read(tmp_path: Path) -> None:
    """They are counted and go no further."""
    roster, broken = spelled(tmp_path, {"users bo": {"password": "hunter2"}})

    assert ({"secrets_dropped"}, 0) == (broken, roster.tables["users"].frame["password"].count())


def test_passwords_stay_if_the_settings_say_so(tmp_path: Path) -> None:
    """Then they are part of the record, and nothing is reported."""
    raw = read(drop(tmp_path, changed(district(), "bo", password="hunter2")))

    roster = normalize("oneroster", raw, ReadingOptions(TODAY, secrets=True))

    assert "hunter2" in roster.tables["users"].frame["password"].to_list()
    assert "secrets_dropped" not in {notice.rule for notice in roster.findings.notices}


ONE_1_1: Rows = {
    "orgs": DISTRICT["orgs"],
    "users": [
        {"sourcedId": "u1", "enabledUser": "true", "username": "u", "givenName": "Ana", "familyName": "Diaz", "role": "administrator", "orgSourcedIds": "d,s1"},
        {"sourcedId": "u2", "enabledUser": "true", "username": "v", "givenName": "Bo", "familyName": "Diaz", "role": "student", "orgSourcedIds": "s1"},
    ],
}  # fmt: skip


def one_1_1(folder: Path) -> Path:
    """Write a drop of OneRoster 1.1."""
    for name, table in ONE_1_1.items():
        (folder / f"{name}.csv").write_text(csv_text(name, table, "1.1"), newline="")
    (folder / "manifest.csv").write_text(
        manifest(dict.fromkeys(ONE_1_1, "bulk"), "1.1"), newline=""
    )
    return folder


def test_the_one_role_of_1_1_becomes_rows_of_roles(tmp_path: Path) -> None:
    """The organization decides the kind of an administrator; the main organization is known if there is only one."""
    tables = normalized(one_1_1(tmp_path)).tables

    roles = tables["roles"].frame.select("userSourcedId", "orgSourcedId", "role", "roleType").rows()
    assert [
        ("u1", "d", "districtAdministrator", "primary"),
        ("u1", "s1", "siteAdministrator", "primary"),
        ("u2", "s1", "student", "primary"),
    ] == roles
    assert [None, "s1"] == tables["users"].frame["primaryOrgSourcedId"].to_list()


def test_an_administrator_of_an_unknown_organisation_is_not_made_another(tmp_path: Path) -> None:
    """A delta may say nothing of the organization; the check rejects the word, and the target keeps the role that it has."""
    folder = one_1_1(tmp_path)
    (folder / "orgs.csv").write_text(csv_text("orgs", DISTRICT["orgs"][:1], "1.1"), newline="")

    roles = normalized(folder).tables["roles"].frame["role"].to_list()

    assert ["districtAdministrator", "administrator", "student"] == roles


def test_frames_have_the_columns_of_1_2_whatever_the_drop(tmp_path: Path) -> None:
    """Checks and payloads meet one shape."""
    for name, table in normalized(one_1_1(tmp_path)).tables.items():
        assert ["#row", *(column.name for column in ENTITIES[name].current)] == table.frame.columns


def test_a_drop_of_1_0_is_read_through_its_aliases(tmp_path: Path) -> None:
    """No manifest, other names of columns, and nobody says who is enabled: everybody is."""
    (tmp_path / "orgs.csv").write_text(csv_text("orgs", DISTRICT["orgs"], "1.0"), newline="")
    users = csv_text(
        "users",
        [{k: v for k, v in row.items() if k != "enabledUser"} for row in ONE_1_1["users"]],
        "1.0",
    )
    (tmp_path / "users.csv").write_text(
        users.replace("sourcedId,", "userId,", 1).replace("grades", "grade", 1), newline=""
    )

    checked = judged_drop(tmp_path)

    users_read = checked.standing["users"].accepted
    assert (["u1", "u2"], {"true"}, {"manifest_missing", "header_renamed"}) == (
        users_read["sourcedId"].to_list(),
        set(users_read["enabledUser"]),
        rules(checked),
    )


def test_a_drop_of_1_2_without_a_manifest_is_read(tmp_path: Path) -> None:
    """Roles tell its version."""
    (drop(tmp_path, district()) / "manifest.csv").unlink()

    assert {"manifest_missing"} == rules(judged_drop(tmp_path))
