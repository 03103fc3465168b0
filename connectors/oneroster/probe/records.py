"""The records that a probe creates and deletes again.

There is one of each kind. All are invented, and no user can sign in. Source: API reference, section
8 (required properties) and section 9 (parents first).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from transforms.payload import Json

PREFIX = "roster-probe-"
# (collection, id) of a record that a probe created, or may have created.
MadeRecord = tuple[str, str]
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class ProbeKind:
    """A throw-away record of one collection."""

    name: str
    # In texts, `{orgs}` stands for the id of the record of that kind.
    properties: Json
    # A property that may be left out or blank.
    spare: str = ""
    # A reference that can point to an unknown record.
    refers: str = ""
    # The kind whose id the record shares.
    shares: str = ""

    @property
    def needs(self) -> set[str]:
        """The kinds whose records must be there first."""
        return ({*PLACEHOLDER.findall(str(self.properties)), self.shares}) - {self.name, ""}


def _reference_to(name: str) -> Json:
    return {"sourcedId": f"{{{name}}}"}


# Parents first.
KINDS: tuple[ProbeKind, ...] = (
    ProbeKind(
        "orgs",
        {"name": "Roster Probe", "type": "local", "identifier": "probe"},
        spare="identifier",
        refers="parent",
    ),
    ProbeKind(
        "academicSessions",
        {
            "title": "Roster Probe",
            "type": "term",
            "startDate": "2020-01-01",
            "endDate": "2020-06-30",
            "schoolYear": "2020",
            "org": _reference_to("orgs"),
        },
        refers="org",
    ),
    ProbeKind(
        "users",
        {
            "enabledUser": False,
            "givenName": "Roster",
            "familyName": "Probe",
            "middleName": "Invented",
            "email": "{users}@example.edu",
            "primaryOrg": _reference_to("orgs"),
            "roles": [{"roleType": "primary", "role": "student", "org": _reference_to("orgs")}],
        },
        spare="middleName",
        refers="primaryOrg",
    ),
    ProbeKind("demographics", {"birthDate": "2000-01-01"}, spare="birthDate", shares="users"),
    ProbeKind(
        "courses",
        {"title": "Roster Probe", "courseCode": "probe", "org": _reference_to("orgs")},
        spare="courseCode",
        refers="org",
    ),
    ProbeKind(
        "classes",
        {
            "title": "Roster Probe",
            "classType": "scheduled",
            "classCode": "probe",
            "course": _reference_to("courses"),
            "school": _reference_to("orgs"),
            "terms": [_reference_to("academicSessions")],
        },
        spare="classCode",
        refers="course",
    ),
    ProbeKind(
        "enrollments",
        {
            "role": "student",
            "beginDate": "2020-01-01",
            "user": _reference_to("users"),
            "class": _reference_to("classes"),
        },
        spare="beginDate",
        refers="class",
    ),
    ProbeKind(
        "courseComponents",
        {
            "title": "Roster Probe",
            "sortOrder": 1,
            "prerequisiteCriteria": "ALL",
            "course": _reference_to("courses"),
        },
        spare="prerequisiteCriteria",
        refers="course",
    ),
    ProbeKind(
        "resources",
        {
            "title": "Roster Probe",
            "vendorResourceId": "probe",
            "vendorId": "probe",
            "importance": "primary",
        },
        spare="vendorId",
    ),
    ProbeKind(
        "componentResources",
        {
            "title": "Roster Probe",
            "sortOrder": 1,
            "lessonType": "quiz",
            "courseComponent": _reference_to("courseComponents"),
            "resource": _reference_to("resources"),
        },
        spare="lessonType",
        refers="resource",
    ),
    ProbeKind("categories", {"title": "Roster Probe", "weight": 1}, spare="weight"),
)


@dataclass(frozen=True)
class ProbeRecords:
    """The records of one probe."""

    # A word of letters and digits that no other probe has.
    run: str

    @classmethod
    def with_id(cls, sourced_id: str) -> ProbeRecords:
        """Return the records of the probe that created an id."""
        return cls(sourced_id.removeprefix(PREFIX).partition("-")[0])

    def id_of(self, name: str, which: str = "") -> str:
        """Return the id of the record of a kind, or of another one: `unknown`, `orphan`."""
        return f"{PREFIX}{self.run}-{'-'.join(filter(None, (_kind(name).shares or name, which)))}"

    def record(self, kind: ProbeKind, which: str = "") -> Json:
        """Return a record of a kind under the standard's names."""
        written: Json = _with_ids(kind.properties, self)
        return {"sourcedId": self.id_of(kind.name, which), "status": "active", **written}

    def orphan(self, kind: ProbeKind) -> Json:
        """Return a record that refers to an unknown one."""
        nowhere = {"sourcedId": f"{PREFIX}{self.run}-nowhere"}
        return self.record(kind, "orphan") | ({kind.refers: nowhere} if kind.refers else {})

    def record_of(self, name: str, sourced_id: str) -> Json:
        """Return a record of a kind with any id that a probe uses."""
        return self.record(_kind(name)) | {"sourcedId": sourced_id}

    def ids(self) -> list[MadeRecord]:
        """Return all records that a probe may create, as (collection, id), parents first."""
        return [
            (kind.name, self.id_of(kind.name, which))
            for kind in KINDS
            for which in ("", "unknown", "orphan")
        ]


def _kind(name: str) -> ProbeKind:
    return next(kind for kind in KINDS if kind.name == name)


def _with_ids(value: Any, things: ProbeRecords) -> Any:
    """Replace the placeholders in a value by ids."""
    if isinstance(value, dict):
        return {name: _with_ids(inner, things) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_ids(inner, things) for inner in value]
    return PLACEHOLDER.sub(partial(_id_for, things), value) if isinstance(value, str) else value


def _id_for(things: ProbeRecords, place: re.Match[str]) -> str:
    return things.id_of(place[1])
