"""OneRoster exports that nobody tuned: two nights of each, from `check` to `verify`.

Every expected number is counted in the CSV files themselves.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rosters import Rows, changed, csv_text, delta, district, drop
from tests.running import Run, roster

FEED = 'district = "larkspur"\ndrop = "drop"\n[target]\nurl = "sandbox"\n[source]\n'
PARTS = ("roles", "userProfiles")


def rows_of(folder: Path) -> int:
    """Count the records in the CSV files of a drop: those of users hold their roles."""
    return sum(
        len(list(csv.reader(io.StringIO(file.read_text("utf-8"))))) - 1
        for file in folder.glob("*.csv")
        if file.stem not in (*PARTS, "manifest")
    )


def without_manifest(folder: Path) -> None:
    """Remove the manifest of a drop."""
    (folder / "manifest.csv").unlink()


def as_it_is(_: Path) -> None:
    """Leave a drop as it is."""


@dataclass(frozen=True)
class Export:
    """An export: its rows, what is done to its files, and what becomes of it."""

    name: str
    rows: Rows
    change: Callable[[Path], None] = as_it_is
    # The ids of the records that are rejected, with those that need them.
    rejected: tuple[str, ...] = ()
    # Rules that the report must name.
    reports: tuple[str, ...] = ()
    # Lines under `[source]` in the feed file.
    settings: str = ""
    mode: str = "bulk"
    # Rules that the report must not name.
    silent: tuple[str, ...] = ()


def large() -> Rows:
    """Return the district with so many classes and students that a few bad rows hold nothing."""
    rows = district()
    (ana, _, _, _), (role, _, _, _) = rows["users"], rows["roles"]
    for number in range(12):
        one = {
            "sourcedId": f"p{number}",
            "email": f"p{number}@example.edu",
            "username": f"p{number}",
        }
        rows["users"].append(ana | one)
        rows["roles"].append(role | {"sourcedId": f"rp{number}", "userSourcedId": f"p{number}"})
        rows["classes"].append(rows["classes"][0] | {"sourcedId": f"k{number}"})
        rows["enrollments"].append(
            rows["enrollments"][0] | {"sourcedId": f"ep{number}", "userSourcedId": f"p{number}"}
        )
    return rows


DANGLING = changed(changed(large(), "e1", userSourcedId="nobody"), "k2", courseSourcedId="none")
UNTUNED: Rows = {
    "orgs": [{"sourcedId": "d", "name": "Larkspur", "type": "district"}],
    "academicSessions": [
        {"sourcedId": "y", "title": "Year", "type": "schoolYear", "startDate": "8/15/2026", "endDate": "6/15/2027", "schoolYear": "26-27"},
        {"sourcedId": "t", "title": "Fall", "type": "term", "startDate": "8/15/2026", "endDate": "1/3/2027", "parentSourcedId": "y", "schoolYear": "2027.0"},
    ],
    "users": [
        {"sourcedId": "ana", "enabledUser": "true", "orgSourcedIds": "d", "role": "student", "username": "ana", "givenName": "Ana", "familyName": "Diaz", "email": "mailto:ana@example.edu;", "userIds": "{LDAP:cn=Ana Diaz, ou=Students,dc=example},{SIS:99}"},
        {"sourcedId": "tia", "enabledUser": "true", "orgSourcedIds": "d", "role": "teacher", "username": "tia", "givenName": "Tia", "familyName": "Tang", "email": "Tia Tang <tia@example.edu>"},
    ],
    "courses": [{"sourcedId": "co", "schoolYearSourcedId": "y", "title": "Math", "orgSourcedId": "d"}],
    "classes": [{"sourcedId": "c", "title": "Math A", "courseSourcedId": "co", "classType": "scheduled", "schoolSourcedId": "s", "termSourcedIds": "t"}],
    "enrollments": [
        {"sourcedId": "e1", "classSourcedId": "c", "schoolSourcedId": "s", "userSourcedId": "ana", "role": "student", "beginDate": "2026/8/15"},
        {"sourcedId": "e2", "classSourcedId": "c", "schoolSourcedId": "s", "userSourcedId": "tia", "role": "teacher", "beginDate": "2026-08- 5"},
    ],
}  # fmt: skip
HEADERS = {
    "users": (("orgSourcedIds", "orgs"), ("familyName", "familyNames"), (",password", ",password,role")),
    "courses": (("orgSourcedId", "orgSourcedIds"),),
    "enrollments": (("classSourcedId", "class"),),
}  # fmt: skip


def untuned(folder: Path) -> None:
    """Write an export of OneRoster 1.1 as nobody should: no manifest, and no name is right."""
    drop(folder, {})
    without_manifest(folder)
    for name, table in UNTUNED.items():
        header, *rows = csv_text(name, table, "1.1").splitlines()
        for standard, spelling in HEADERS.get(name, ()):
            header = header.replace(standard, spelling)
        if name == "users":
            rows = [row + "," for row in rows]
        if name == "orgs":
            rows = [row.rstrip(",") for row in (*rows, "s,,,Elm School,school,,,")]
        file = "academic_sessions" if name == "academicSessions" else name
        (folder / f"{file}.csv").write_text("\r\n".join([header, *rows]), "utf-8", newline="")


def renamed(folder: Path) -> None:
    """Give columns names that only the district can explain, and dates that have two meanings."""
    users = (folder / "users.csv").read_text("utf-8")
    (folder / "users.csv").write_text(users.replace("familyName", "nom", 1), "utf-8", newline="")


DOUBTFUL = changed(large(), "e1", beginDate="3/4/2026")
SETTINGS = 'date_order = "dmy"\ncolumns.users.nom = "familyName"\n'
EXPORTS = (
    Export("references to nothing in a bulk export", DANGLING, rejected=("e1", "k2"), reports=("dangling",)),
    Export("references to nothing without a manifest", DANGLING, without_manifest, ("e1", "k2"), ("dangling",)),
    Export("references to nothing in a delta", delta(DANGLING), rejected=("e1", "k2"), reports=("dangling",), mode="delta"),
    Export("nothing as the standard says", {}, untuned, reports=("file_name", "header_renamed", "header_repeated", "row_padded", "date_read", "respelled"), silent=("header_version", "header_unknown")),
    Export("names and dates that settings explain", DOUBTFUL, renamed, reports=("header_renamed",), settings=SETTINGS, silent=("date_read",)),
)  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_what_check_promises_is_what_is_loaded(export: Export, tmp_path: Path) -> None:
    """`check`, `plan` and `sync` agree; then `verify` is clean and the second night is silent."""
    folder = drop(tmp_path / "drop", export.rows, export.mode)
    export.change(folder)
    (tmp_path / "feed.toml").write_text(FEED + export.settings, encoding="utf-8")

    checked, planned, loaded, verified, again = (
        roster(command, tmp_path / "feed.toml", "--json", state=tmp_path / "state")
        for command in ("check", "plan", "sync", "verify", "sync")
    )

    expected = rows_of(folder) - len(export.rejected)
    assert [0] * 5 == [run.code for run in (checked, planned, loaded, verified, again)]
    assert (expected, expected, 0) == (
        planned.total("created"),
        loaded.total("created"),
        loaded.total("failed"),
    )
    assert (0, expected) == (again.json["requests"], again.total("unchanged"))
    assert len(export.rejected) == rejected(checked) == rejected(loaded)
    assert [] == [rule for rule in export.reports if rule not in checked.said]
    assert [] == [rule for rule in export.silent if rule in checked.said]


def rejected(run: Run) -> int:
    """Count the records that a run rejected."""
    return run.total("rejected")


def test_an_export_writes_no_reference_to_nothing(tmp_path: Path) -> None:
    """The zip of the first night holds what would be loaded."""
    folder = drop(tmp_path / "drop", DANGLING)
    without_manifest(folder)

    done = roster("export", folder, tmp_path / "out.zip", "--json", state=tmp_path / "state")

    with zipfile.ZipFile(tmp_path / "out.zip") as written:
        enrollments = written.read("enrollments.csv").decode()
        classes = written.read("classes.csv").decode()
    assert (0, 0) == (done.code, done.said.count("export_outside"))
    assert [] == [one for one in ("nobody", "none") if f",{one}," in enrollments + classes]


def test_without_the_settings_such_an_export_is_refused(tmp_path: Path) -> None:
    """The messages name the settings that explain it."""
    folder = drop(tmp_path / "drop", DOUBTFUL)
    renamed(folder)
    feed = tmp_path / "feed.toml"
    feed.write_text(FEED, encoding="utf-8")

    said = " ".join(roster("check", feed, state=tmp_path / "state").said.split())

    assert "[source.columns.users]" in said
    assert "date_order" in said
