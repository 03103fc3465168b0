"""What the sandbox holds: JSON records in SQLite, by collection and id."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transforms.payload import Json

TABLE = """
CREATE TABLE IF NOT EXISTS records (
    collection TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (collection, id)
) WITHOUT ROWID
"""
# A sandbox may forget what the power took; it may not be slow.
SETTINGS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000"
# The references by which nested reads and filters find records of a large district.
INDEXED = ("user", "class", "school", "course", "parent", "lineItem", "student")
Values = Sequence[str | int | float]


def property_sql(name: str) -> str:
    """The value of a property in SQL: `user.sourcedId`, `metadata.some name`. Safe for any name."""
    return "id" if name == "sourcedId" else f"json_extract(body, {path_sql(name)})"


def path_sql(name: str) -> str:
    """The place of a property in a record, as a literal of SQL."""
    path = "$" + "".join(f'."{part}"' for part in name.replace('"', "").split("."))
    return "'" + path.replace("'", "''") + "'"


def _refers_sql(name: str) -> str:
    return property_sql(f"{name}.sourcedId")


class SandboxStore:
    """The records, in a file or in memory; one connection, which one thread at a time uses."""

    def __init__(self, database: Path | None) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            database or ":memory:", check_same_thread=False, isolation_level=None
        )
        self._connection.executescript(SETTINGS)
        # SQLite's own `lower` knows ASCII only.
        self._connection.create_function("folded", 1, _folded, deterministic=True)
        self._connection.execute(TABLE)
        for name in INDEXED:
            # `collection` is left out: SQLite would prefer the primary key to an index that begins with it.
            self._connection.execute(
                f"CREATE INDEX IF NOT EXISTS of_{name} ON records ({_refers_sql(name)})"
            )

    def get(self, collection: str, sourced_id: str) -> Json | None:
        """Give one record, deleted ones too."""
        rows = self.query(
            "SELECT body FROM records WHERE collection = ? AND id = ?", (collection, sourced_id)
        )
        return json.loads(rows[0][0]) if rows else None

    def put(self, collection: str, record: Json) -> Json:
        """Keep a record, and say when."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {**record, "dateLastModified": now}
        body = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        self.query(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
            (collection, record["sourcedId"], body),
        )
        return record

    def has(self, collection: str, sourced_id: str) -> bool:
        """Tell whether a record is there, deleted or not: the API's foreign keys do not look at the status."""
        return bool(
            self.query(
                "SELECT 1 FROM records WHERE collection = ? AND id = ?", (collection, sourced_id)
            )
        )

    def find(
        self,
        collection: str,
        where: str = "1",
        values: Values = (),
        order: str = "id",
        limit: int = -1,
        offset: int = 0,
    ) -> list[Json]:
        """Give the records for which a condition over `id` and `body` holds."""
        query = f"SELECT body FROM records WHERE collection = ? AND ({where}) ORDER BY {order} LIMIT ? OFFSET ?"
        return [
            json.loads(body) for (body,) in self.query(query, (collection, *values, limit, offset))
        ]

    def referring(self, collection: str, name: str, sourced_id: str) -> list[str]:
        """Give the ids of the records of a collection that refer to a record by a property."""
        query = (
            f"SELECT id FROM records WHERE collection = ? AND {_refers_sql(name)} = ? ORDER BY id"
        )
        return [found for (found,) in self.query(query, (collection, sourced_id))]

    def total(self, collection: str, where: str = "1", values: Values = ()) -> int:
        """Count the records for which a condition holds."""
        query = f"SELECT count(*) FROM records WHERE collection = ? AND ({where})"
        return int(self.query(query, (collection, *values))[0][0])

    def count(self, collection: str, status: str = "active") -> int:
        """Count the records of one status."""
        return self.total(collection, f"{property_sql('status')} = ?", (status,))

    def ids(self, collection: str, status: str = "active") -> Iterator[str]:
        """Give the ids of one status."""
        return (
            record["sourcedId"]
            for record in self.find(collection, f"{property_sql('status')} = ?", (status,))
        )

    def query(self, query: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Run a query."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def seed(self) -> None:
        """Put the records of the API's documentation in, but for those that are there already."""
        for collection, records in SEED.items():
            for record in records:
                if not self.has(collection, str(record["sourcedId"])):
                    self.put(collection, {"status": "active", **record})

    def clear(self) -> None:
        """Forget everything."""
        self.query("DELETE FROM records")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _folded(text: Any) -> str | None:
    return None if text is None else str(text).casefold()


WAIT_SECONDS = 10


def compact(database: Path, wait: float = WAIT_SECONDS) -> bool:
    """Write the file anew and empty its journal; False if somebody has been using it for so long (seconds)."""
    try:
        with closing(sqlite3.connect(database, timeout=wait, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    return not busy


ORG, STUDENT, TEACHER, COURSE, CLASS = (
    "PLAYCADEMY",
    "student-123",
    "teacher-123",
    "course-123",
    "class-123",
)
COMPONENT, RESOURCE = "component-123", "resource-123"
YEAR, TERM = "school-year-2026", "term-2026-fall"
MIDNIGHT = "T00:00:00.000Z"
OF_CLASS = {
    "class": {"sourcedId": CLASS},
    "school": {"sourcedId": ORG},
    "course": {"sourcedId": COURSE},
}


def _user(sourced_id: str, given: str, family: str, role: str) -> dict[str, object]:
    roles = [{"roleType": "primary", "role": role, "org": {"sourcedId": ORG}}]
    email = f"{sourced_id}@example.edu"
    return {
        "sourcedId": sourced_id,
        "givenName": given,
        "familyName": family,
        "enabledUser": "true",
        "email": email,
        "roles": roles,
        "primaryOrg": {"sourcedId": ORG},
        "agents": [],
        "grades": ["5"] if role == "student" else [],
    }


def _session(
    sourced_id: str, title: str, kind: str, end: str, parent: str | None
) -> dict[str, object]:
    session: dict[str, object] = {
        "sourcedId": sourced_id,
        "title": title,
        "type": kind,
        "startDate": f"2026-08-15{MIDNIGHT}",
        "endDate": f"{end}{MIDNIGHT}",
        "schoolYear": "2027",
        "org": {"sourcedId": ORG},
    }
    return session | ({"parent": {"sourcedId": parent}} if parent else {})


SEED: dict[str, list[dict[str, object]]] = {
    "orgs": [{"sourcedId": ORG, "name": "Playcademy", "type": "school", "identifier": ORG}],
    "academicSessions": [
        _session(YEAR, "School year 2026-27", "schoolYear", "2027-06-10", None),
        _session(TERM, "Fall 2026", "term", "2027-01-15", YEAR),
    ],
    "users": [_user(STUDENT, "Sam", "Student", "student"), _user(TEACHER, "Toni", "Teacher", "teacher")],
    "courses": [{"sourcedId": COURSE, "title": "Math Grade 4", "courseCode": "MATH-G4", "grades": ["4"], "subjects": ["Math"], "org": {"sourcedId": ORG}}],
    "classes": [{"sourcedId": CLASS, "title": "Math Grade 4, Section A", "classType": "scheduled", "course": {"sourcedId": COURSE},
                 "school": {"sourcedId": ORG}, "terms": [{"sourcedId": TERM}]}],
    "courseComponents": [{"sourcedId": COMPONENT, "title": "Unit 1", "course": {"sourcedId": COURSE}, "sortOrder": 1}],
    "resources": [{"sourcedId": RESOURCE, "title": "Adding numbers", "vendorResourceId": RESOURCE, "importance": "primary",
                   "metadata": {"type": "video", "url": "https://media.example.edu/adding-numbers"}}],
    "enrollments": [
        {"sourcedId": "enrollment-123", "role": "student", "primary": "false", "user": {"sourcedId": STUDENT}, "beginDate": "2026-08-15", **OF_CLASS},
        {"sourcedId": "enrollment-124", "role": "teacher", "primary": "true", "user": {"sourcedId": TEACHER}, **OF_CLASS},
    ],
}  # fmt: skip
