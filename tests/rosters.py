"""Rosters for tests: a small district as rows, ways to change it, and how to write it as a drop."""

from __future__ import annotations

import copy
import csv
import io
from pathlib import Path

from connectors.drops import read
from transforms.roster import Raw
from transforms.schemas import ENTITIES
from transforms.schemas.entity import Version

Row = dict[str, str]
Rows = dict[str, list[Row]]

DISTRICT: Rows = {
    "orgs": [
        {"sourcedId": "d", "name": "Larkspur Valley", "type": "district"},
        {"sourcedId": "s1", "name": "Elm School", "type": "school", "parentSourcedId": "d"},
        {"sourcedId": "s2", "name": "Oak School", "type": "school", "parentSourcedId": "d"},
    ],
    "academicSessions": [
        {"sourcedId": "y", "title": "Year", "type": "schoolYear", "startDate": "2026-08-15", "endDate": "2027-06-10", "schoolYear": "2027"},
        {"sourcedId": "t1", "title": "Fall", "type": "term", "startDate": "2026-08-15", "endDate": "2027-01-15", "parentSourcedId": "y", "schoolYear": "2027"},
    ],
    "users": [
        {"sourcedId": "ana", "enabledUser": "true", "username": "ana", "givenName": "Ana", "familyName": "Diaz", "email": "ana@example.edu", "grades": "05", "agentSourcedIds": "mum"},
        {"sourcedId": "bo", "enabledUser": "true", "username": "bo", "givenName": "Bo", "familyName": "O'Brien", "email": "bo@example.edu", "grades": "06"},
        {"sourcedId": "tia", "enabledUser": "true", "username": "tia", "givenName": "Tia", "familyName": "Núñez", "email": "tia@example.edu"},
        {"sourcedId": "mum", "enabledUser": "true", "username": "mum", "givenName": "Eva", "familyName": "Diaz", "email": "eva@example.edu"},
    ],
    "roles": [
        {"sourcedId": "r1", "userSourcedId": "ana", "roleType": "primary", "role": "student", "orgSourcedId": "s1"},
        {"sourcedId": "r2", "userSourcedId": "bo", "roleType": "primary", "role": "student", "orgSourcedId": "s2"},
        {"sourcedId": "r3", "userSourcedId": "tia", "roleType": "primary", "role": "teacher", "orgSourcedId": "s1"},
        {"sourcedId": "r4", "userSourcedId": "mum", "roleType": "primary", "role": "parent", "orgSourcedId": "s1"},
    ],
    "demographics": [{"sourcedId": "ana", "birthDate": "2015-03-04", "sex": "female", "asian": "true"}],
    "courses": [
        {"sourcedId": "co", "schoolYearSourcedId": "y", "title": "Math 5", "courseCode": "M5", "grades": "05", "orgSourcedId": "d", "subjects": "Math", "subjectCodes": "02"},
    ],
    "classes": [
        {"sourcedId": "c1", "title": "Math 5 A", "grades": "05", "courseSourcedId": "co", "classType": "scheduled", "schoolSourcedId": "s1", "termSourcedIds": "t1", "periods": "1"},
        {"sourcedId": "c2", "title": "Math 6 A", "courseSourcedId": "co", "classType": "homeroom", "schoolSourcedId": "s2", "termSourcedIds": "y,t1"},
    ],
    "enrollments": [
        {"sourcedId": "e1", "classSourcedId": "c1", "schoolSourcedId": "s1", "userSourcedId": "ana", "role": "student", "beginDate": "2026-08-15"},
        {"sourcedId": "e2", "classSourcedId": "c2", "schoolSourcedId": "s2", "userSourcedId": "bo", "role": "student"},
        {"sourcedId": "e3", "classSourcedId": "c1", "schoolSourcedId": "s1", "userSourcedId": "tia", "role": "teacher", "primary": "true"},
    ],
}  # fmt: skip


def district() -> Rows:
    """Return a copy of the district."""
    return copy.deepcopy(DISTRICT)


def without(rows: Rows, *ids: str) -> Rows:
    """Return the rows without some records, of any entity."""
    return {
        name: [row for row in table if row["sourcedId"] not in ids] for name, table in rows.items()
    }


def changed(rows: Rows, sourced_id: str, **cells: str) -> Rows:
    """Return the rows with some cells of one record changed."""
    return {
        name: [row | cells if row["sourcedId"] == sourced_id else row for row in table]
        for name, table in rows.items()
    }


def csv_text(name: str, table: list[Row], version: Version = "1.2") -> str:
    """Return rows as CSV with the standard's header; `metadata.*` columns are last."""
    header = list(ENTITIES[name].header(version))
    header += sorted({column for row in table for column in row if column.startswith("metadata.")})
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


def manifest(modes: dict[str, str], version: str = "1.2") -> str:
    """Return a manifest. Files that `modes` does not name are absent."""
    lines = ["propertyName,value", "manifest.version,1.0", f"oneroster.version,{version}"]
    return (
        "\r\n".join([*lines, *(f"file.{name},{modes.get(name, 'absent')}" for name in ENTITIES)])
        + "\r\n"
    )


def drop(folder: Path, rows: Rows, mode: str = "bulk", modes: dict[str, str] | None = None) -> Path:
    """Write a drop into a folder, and replace the drop in it.

    The manifest declares entities without rows as absent, unless `modes` says otherwise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.csv"):
        file.unlink()
    present = {name: table for name, table in rows.items() if table}
    for name, table in present.items():
        (folder / f"{name}.csv").write_text(csv_text(name, table), encoding="utf-8", newline="")
    (folder / "manifest.csv").write_text(
        manifest(dict.fromkeys(present, mode) | (modes or {})), newline=""
    )
    return folder


def delta(rows: Rows, status: str = "active") -> Rows:
    """Return rows with the status and the date that a delta must have."""
    lifecycle = {"status": status, "dateLastModified": "2026-11-24T00:00:00.000Z"}
    return {name: [lifecycle | row for row in table] for name, table in rows.items()}


def raw(folder: Path, rows: Rows, mode: str = "bulk") -> Raw:
    """Write rows as a drop, and read it."""
    return read(drop(folder, rows, mode))
