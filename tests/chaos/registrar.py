"""A small district that lives, and the exports that its registrar makes: whole ones and those of changes, with their faults."""

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
    """What an export says: its rows, and those that it says are gone."""

    mode: Mode
    rows: Rows
    gone: Rows = field(default_factory=dict)


class Registrar:
    """The district as it is now, and as it was told last."""

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
        """Let something happen to whoever, or whatever, is in a place of its list, counted round."""
        EVENTS[event](self, place)

    def arrive(self, place: int) -> None:
        """Take in a new student, or one who has left before, and enroll them in a class."""
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
        """Take in again who left."""
        if self.left:
            self._admit(*self.left.pop(), place)

    def leave(self, place: int) -> None:
        """Let a student go, with all that is theirs."""
        user = self._one("users", place)
        role = next(row for row in self.rows["roles"] if row["userSourcedId"] == user["sourcedId"])
        seats = [
            row for row in self.rows["enrollments"] if row["userSourcedId"] == user["sourcedId"]
        ]
        if self._take(users=[user], roles=[role], enrollments=seats):
            self.left.append((user, role))

    def enroll(self, place: int) -> None:
        """Give a student a seat in a class."""
        seat = {
            "classSourcedId": self._one("classes", place)["sourcedId"],
            "userSourcedId": self._one("users", place)["sourcedId"],
        }
        self.rows["enrollments"].append(
            {"sourcedId": self._new("e"), "schoolSourcedId": "s", "role": "student", **seat}
        )

    def unenroll(self, place: int) -> None:
        """Take a seat away."""
        self._take(enrollments=[self._one("enrollments", place)])

    def rename(self, place: int) -> None:
        """Give somebody another name."""
        self._one("users", place)["givenName"] = f"Zoe-{self._new('n')}"

    def lock(self, place: int) -> None:
        """Lock somebody out, or let them in again."""
        user = self._one("users", place)
        user["enabledUser"] = {"true": "false", "false": "true"}[user["enabledUser"]]

    def renumber(self, place: int) -> None:
        """Give somebody another id; whatever is theirs says the new one."""
        user, new = self._one("users", place), self._new("u")
        for table in ("roles", "enrollments"):
            for row in self.rows[table]:
                row["userSourcedId"] = (
                    new if row["userSourcedId"] == user["sourcedId"] else row["userSourcedId"]
                )
        user["sourcedId"] = new

    def open(self, place: int) -> None:
        """Begin a class, and move some students there."""
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
        """End a class, and all of its enrollments."""
        one = self._one("classes", place)
        seats = [
            row for row in self.rows["enrollments"] if row["classSourcedId"] == one["sourcedId"]
        ]
        self._take(classes=[one], enrollments=seats)

    def export(self, folder: Path, mode: Mode, fault: str, place: int) -> Export:
        """Write an export in the place of the last one; one of changes that has none to tell is a whole one."""
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
        """Take rows out, unless a table would be empty then; tell whether they went."""
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
# Rows that are rejected, also for an id that nobody can tell any more; and columns that are missing, one of them required.
FAULTS = {
    "no name": _spoil("users", "familyName", ""), "no title": _spoil("classes", "title", ""),
    "no role": _spoil("enrollments", "role", "pupil"), "no id": _spoil("users", "sourcedId", "3.60E+11"),
}  # fmt: skip
GONE = {"grades gone": "grades", "emails gone": "email", "names gone": "familyName"}
