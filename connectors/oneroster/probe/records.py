"""Records that a probe makes and takes away again: one of each kind, all invented, none of which can sign in.

Source: API reference, section 8 (required properties) and section 9 (parents first).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from transforms.payload import Json

PREFIX = "roster-probe-"
# (collection, id) of a record that a probe made, or may have made.
Made = tuple[str, str]
PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class ProbeKind:
    """A throw-away record of one collection.

    In the texts of `properties`, `{orgs}` stands for the id of the record of that kind. `spare` is a property that
    may be left out, and blank. `refers` is a reference that can be led astray. `shares` is the kind whose id
    the record has.
    """

    name: str
    properties: Json
    spare: str = ""
    refers: str = ""
    shares: str = ""

    @property
    def needs(self) -> set[str]:
        """The kinds whose records must be there before."""
        return ({*PLACE.findall(str(self.properties)), self.shares}) - {self.name, ""}


def _of(name: str) -> Json:
    return {"sourcedId": f"{{{name}}}"}


# Parents first.
KINDS: tuple[ProbeKind, ...] = (
    ProbeKind("orgs", {"name": "Roster Probe", "type": "local", "identifier": "probe"}, "identifier", "parent"),
    ProbeKind("academicSessions", {"title": "Roster Probe", "type": "term", "startDate": "2020-01-01", "endDate": "2020-06-30",
                              "schoolYear": "2020", "org": _of("orgs")}, refers="org"),
    ProbeKind("users", {"enabledUser": False, "givenName": "Roster", "familyName": "Probe", "middleName": "Invented",
                   "email": "{users}@example.edu", "primaryOrg": _of("orgs"),
                   "roles": [{"roleType": "primary", "role": "student", "org": _of("orgs")}]}, "middleName", "primaryOrg"),
    ProbeKind("demographics", {"birthDate": "2000-01-01"}, "birthDate", shares="users"),
    ProbeKind("courses", {"title": "Roster Probe", "courseCode": "probe", "org": _of("orgs")}, "courseCode", "org"),
    ProbeKind("classes", {"title": "Roster Probe", "classType": "scheduled", "classCode": "probe", "course": _of("courses"),
                     "school": _of("orgs"), "terms": [_of("academicSessions")]}, "classCode", "course"),
    ProbeKind("enrollments", {"role": "student", "beginDate": "2020-01-01", "user": _of("users"), "class": _of("classes")},
         "beginDate", "class"),
    ProbeKind("courseComponents", {"title": "Roster Probe", "sortOrder": 1, "prerequisiteCriteria": "ALL", "course": _of("courses")},
         "prerequisiteCriteria", "course"),
    ProbeKind("resources", {"title": "Roster Probe", "vendorResourceId": "probe", "vendorId": "probe", "importance": "primary"},
         "vendorId"),
    ProbeKind("componentResources", {"title": "Roster Probe", "sortOrder": 1, "lessonType": "quiz",
                                "courseComponent": _of("courseComponents"), "resource": _of("resources")},
         "lessonType", "resource"),
    ProbeKind("categories", {"title": "Roster Probe", "weight": 1}, "weight"),
)  # fmt: skip


@dataclass(frozen=True)
class Throwaways:
    """The records of one probe; `run` is a word of letters and digits that no other probe has."""

    run: str

    @classmethod
    def with_id(cls, sourced_id: str) -> Throwaways:
        """Give the records of the probe that made an id."""
        return cls(sourced_id.removeprefix(PREFIX).partition("-")[0])

    def id_of(self, name: str, which: str = "") -> str:
        """Give the id of the record of a kind, or of another one: `unknown`, `orphan`."""
        return f"{PREFIX}{self.run}-{'-'.join(filter(None, (_kind(name).shares or name, which)))}"

    def record(self, kind: ProbeKind, which: str = "") -> Json:
        """Give a record of a kind, as it is written under the standard's names."""
        written: Json = _filled(kind.properties, self)
        return {"sourcedId": self.id_of(kind.name, which), "status": "active", **written}

    def orphan(self, kind: ProbeKind) -> Json:
        """Give a record that refers to one that is nowhere."""
        nowhere = {"sourcedId": f"{PREFIX}{self.run}-nowhere"}
        return self.record(kind, "orphan") | ({kind.refers: nowhere} if kind.refers else {})

    def record_of(self, name: str, sourced_id: str) -> Json:
        """Give the record of a kind and an id, be it the first of its kind or another one."""
        return self.record(_kind(name)) | {"sourcedId": sourced_id}

    def ids(self) -> list[Made]:
        """Name everything that a probe may make, as (collection, id), parents first."""
        return [
            (kind.name, self.id_of(kind.name, which))
            for kind in KINDS
            for which in ("", "unknown", "orphan")
        ]


def _kind(name: str) -> ProbeKind:
    return next(kind for kind in KINDS if kind.name == name)


def _filled(value: Any, things: Throwaways) -> Any:
    """Put ids in their places."""
    if isinstance(value, dict):
        return {name: _filled(inner, things) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, things) for inner in value]
    return PLACE.sub(partial(_placed, things), value) if isinstance(value, str) else value


def _placed(things: Throwaways, place: re.Match[str]) -> str:
    return things.id_of(place[1])
