"""A small district that changes, and its exports: full or delta, sometimes with faults."""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.rosters import Row, Rows, drop

Mode = Literal["bulk", "delta"]
LIVING = ("users", "roles", "classes", "enrollments")


@dataclass(frozen=True)
class Export:
    """An export of the district."""

    mode: Mode
    rows: Rows
    gone: Rows = field(default_factory=dict)  # rows that a delta marks as deleted


class Registrar:
    """The district as it is now, and as it was in the last export."""

    def __init__(self) -> None:
        self.rows: Rows = {
            "orgs": [
                {"sourcedId": "d", "name": "Larkspur Valley", "type": "district"},
                {"sourcedId": "s", "name": "Elm School", "type": "school", "parentSourcedId": "d"},
            ],
            "academicSessions": [
                {
                    "sourcedId": "t",
                    "title": "Year",
                    "type": "term",
                    "startDate": "2026-08-15",
                    "endDate": "2099-06-10",
                    "schoolYear": "2027",
                }
            ],
            "users": [],
            "roles": [],
            "courses": [{"sourcedId": "co", "title": "Math", "orgSourcedId": "d"}],
            "classes": [],
            "enrollments": [],
        }
        self.told: Rows = {}
        self.number, self.tellings = 0, 0
        self.left: list[tuple[Row, Row]] = []
        for _ in range(2):
            self.open(0)
        for place in range(5):
            self.arrive(place)

    def happen(self, event: str, place: int) -> None:
        """Apply an event to the record at a place of its list, modulo the length of the list."""
        EVENTS[event](self, place)

    def arrive(self, place: int) -> None:
        """Add a new student, and enroll them in a class."""
        new = self._new("u")
        user = {
            "sourcedId": new,
            "enabledUser": "true",
            "username": new,
            "givenName": "Ana",
            "familyName": f"Diaz-{new}",
            "email": f"{new}@example.edu",
            "grades": "05",
        }
        role = {
            "sourcedId": f"r-{new}",
            "userSourcedId": new,
            "roleType": "primary",
            "role": "student",
            "orgSourcedId": "s",
        }
        self._admit(user, role, place)

    def come_back(self, place: int) -> None:
        """Add a student again who had left."""
        if self.left:
            self._admit(*self.left.pop(), place)

    def leave(self, place: int) -> None:
        """Remove a student, with their role and enrollments."""
        user = self._one("users", place)
        role = next(row for row in self.rows["roles"] if row["userSourcedId"] == user["sourcedId"])
        seats = [
            row for row in self.rows["enrollments"] if row["userSourcedId"] == user["sourcedId"]
        ]
        if self._take(users=[user], roles=[role], enrollments=seats):
            self.left.append((user, role))

    def enroll(self, place: int) -> None:
        """Enroll a student in a class."""
        seat = {
            "classSourcedId": self._one("classes", place)["sourcedId"],
            "userSourcedId": self._one("users", place)["sourcedId"],
        }
        self.rows["enrollments"].append(
            {"sourcedId": self._new("e"), "schoolSourcedId": "s", "role": "student", **seat}
        )

    def unenroll(self, place: int) -> None:
        """Remove an enrollment."""
        self._take(enrollments=[self._one("enrollments", place)])

    def rename(self, place: int) -> None:
        """Change a person's name."""
        self._one("users", place)["givenName"] = f"Zoe-{self._new('n')}"

    def lock(self, place: int) -> None:
        """Disable a user, or enable them again."""
        user = self._one("users", place)
        user["enabledUser"] = {"true": "false", "false": "true"}[user["enabledUser"]]

    def renumber(self, place: int) -> None:
        """Change a user's id, also in their role and enrollments."""
        user, new = self._one("users", place), self._new("u")
        for table in ("roles", "enrollments"):
            for row in self.rows[table]:
                row["userSourcedId"] = (
                    new if row["userSourcedId"] == user["sourcedId"] else row["userSourcedId"]
                )
        user["sourcedId"] = new

    def open(self, place: int) -> None:
        """Add a class, and enroll a student in it."""
        new = self._new("c")
        self.rows["classes"].append(
            {
                "sourcedId": new,
                "title": f"Math {new}",
                "courseSourcedId": "co",
                "classType": "scheduled",
                "schoolSourcedId": "s",
                "termSourcedIds": "t",
            }
        )
        if self.rows["users"]:
            self.enroll(place)

    def close(self, place: int) -> None:
        """Remove a class and all its enrollments."""
        one = self._one("classes", place)
        seats = [
            row for row in self.rows["enrollments"] if row["classSourcedId"] == one["sourcedId"]
        ]
        self._take(classes=[one], enrollments=seats)

    def export(self, folder: Path, mode: Mode, fault: str, place: int) -> Export:
        """Write an export in place of the last one. A delta without changes becomes a full one."""
        self.tellings += 1
        changes = self._changes() if mode == "delta" and self.told else None
        export = changes or Export("bulk", copy.deepcopy(self.rows))
        self.told = copy.deepcopy(self.rows)
        if export.mode == "bulk":
            FAULTS.get(fault, _none)(export.rows, place)
        drop(folder, _written(export, self.tellings), export.mode)
        if export.mode == "bulk" and fault in GONE:
            _without_column(folder / "users.csv", GONE[fault])
        return export

    def _changes(self) -> Export | None:
        then = {name: {row["sourcedId"]: row for row in self.told[name]} for name in LIVING}
        rows = {
            name: [dict(row) for row in self.rows[name] if then[name].get(row["sourcedId"]) != row]
            for name in LIVING
        }
        about = {row["sourcedId"] for row in rows["users"]} | {
            row["userSourcedId"] for row in rows["roles"]
        }
        for name, owner in (("users", "sourcedId"), ("roles", "userSourcedId")):
            rows[name] = [dict(row) for row in self.rows[name] if row[owner] in about]
        there = {name: {row["sourcedId"] for row in self.rows[name]} for name in LIVING}
        gone = {
            name: [row for one, row in then[name].items() if one not in there[name]]
            for name in LIVING
        }
        return Export("delta", rows, gone) if any(rows.values()) or any(gone.values()) else None

    def _admit(self, user: Row, role: Row, place: int) -> None:
        self.rows["users"].append(user)
        self.rows["roles"].append(role)
        self.enroll(len(self.rows["users"]) - 1)
        self.rows["enrollments"][-1]["classSourcedId"] = self._one("classes", place)["sourcedId"]

    def _new(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def _one(self, table: str, place: int) -> Row:
        return self.rows[table][place % len(self.rows[table])]

    def _take(self, **gone: list[Row]) -> bool:
        """Remove rows, unless a table would be empty; return whether they were removed."""
        left = {
            name: [row for row in self.rows[name] if row not in rows] for name, rows in gone.items()
        }
        if all(left.values()):
            self.rows |= left
        return all(left.values())


def _written(export: Export, telling: int) -> Rows:
    if export.mode == "bulk":
        return export.rows
    life = {"dateLastModified": f"2026-10-{1 + telling // 24:02}T{telling % 24:02}:00:00.000Z"}
    return {
        name: [
            *({"status": "active", **life, **row} for row in export.rows[name]),
            *({"status": "tobedeleted", **life, **row} for row in export.gone[name]),
        ]
        for name in LIVING
    }


def _none(rows: Rows, place: int) -> None:
    """Do no harm."""


def _spoil(table: str, column: str, value: str) -> Callable[[Rows, int], None]:
    def spoil(rows: Rows, place: int) -> None:
        rows[table][place % len(rows[table])][column] = value

    return spoil


def _without_column(path: Path, column: str) -> None:
    table = list(csv.reader(io.StringIO(path.read_text("utf-8"))))
    place = table[0].index(column)
    out = io.StringIO()
    csv.writer(out).writerows([*row[:place], *row[place + 1 :]] for row in table)
    path.write_text(out.getvalue(), "utf-8")


EVENTS: dict[str, Callable[[Registrar, int], None]] = {
    "arrive": Registrar.arrive, "come back": Registrar.come_back, "leave": Registrar.leave, "enroll": Registrar.enroll,
    "unenroll": Registrar.unenroll, "rename": Registrar.rename, "lock": Registrar.lock, "renumber": Registrar.renumber,
    "open": Registrar.open, "close": Registrar.close,
}  # fmt: skip
# Rows that are rejected, one of them with a damaged id. And columns that are missing, one of them a
# required one.
FAULTS = {
    "no name": _spoil("users", "familyName", ""), "no course": _spoil("classes", "courseSourcedId", ""),
    "no role": _spoil("enrollments", "role", "pupil"), "no id": _spoil("users", "sourcedId", "3.60E+11"),
}  # fmt: skip
GONE = {"grades gone": "grades", "emails gone": "email", "names gone": "familyName"}
