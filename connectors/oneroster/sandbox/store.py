"""The sandbox's records: JSON in SQLite, by collection and id; and a few records to begin with."""

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
# A sandbox may lose data in a power failure, but must not be slow.
SETTINGS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000"
# The references that need an index for nested reads and filters in a large district.
INDEXED = ("user", "class", "school", "course", "parent", "lineItem", "student")
Values = Sequence[str | int | float]


def property_sql(name: str) -> str:
    """Return SQL for a property, such as `user.sourcedId`, `metadata.some name`; safe for any."""
    return "id" if name == "sourcedId" else f"json_extract(body, {path_sql(name)})"


def path_sql(name: str) -> str:
    """Return the JSON path of a property as an SQL literal; safe for any name."""
    path = "$" + "".join(f'."{part}"' for part in name.replace('"', "").split("."))
    return "'" + path.replace("'", "''") + "'"


def _refers_sql(name: str) -> str:
    return property_sql(f"{name}.sourcedId")


class SandboxStore:
    """Records in a file or in memory. Threads take turns with one connection."""

    def __init__(self, database: Path | None) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            database or ":memory:", check_same_thread=False, isolation_level=None
        )
        self._connection.executescript(SETTINGS)
        # SQLite's own `lower` changes ASCII only.
        self._connection.create_function("folded", 1, _casefold, deterministic=True)
        self._connection.execute(TABLE)
        for name in INDEXED:
            # Not with `collection` first: SQLite would then prefer the primary key.
            self._connection.execute(
                f"CREATE INDEX IF NOT EXISTS of_{name} ON records ({_refers_sql(name)})"
            )

    def get(self, collection: str, sourced_id: str) -> Json | None:
        """Return one record, deleted or not; None if it does not exist."""
        rows = self.query(
            "SELECT body FROM records WHERE collection = ? AND id = ?", (collection, sourced_id)
        )
        return json.loads(rows[0][0]) if rows else None

    def put(self, collection: str, record: Json) -> Json:
        """Store a record with the time as its `dateLastModified`, and return it."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {**record, "dateLastModified": now}
        body = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        self.query(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
            (collection, record["sourcedId"], body),
        )
        return record

    def has(self, collection: str, sourced_id: str) -> bool:
        """Return whether a record exists, deleted or not, as the API's foreign keys do."""
        query = "SELECT 1 FROM records WHERE collection = ? AND id = ?"
        return bool(self.query(query, (collection, sourced_id)))

    def find(
        self,
        collection: str,
        where: str = "1",
        values: Values = (),
        order: str = "id",
        limit: int = -1,
        offset: int = 0,
    ) -> list[Json]:
        """Return the records that meet an SQL condition on `id` and `body`."""
        query = (
            f"SELECT body FROM records WHERE collection = ? AND ({where}) "
            f"ORDER BY {order} LIMIT ? OFFSET ?"
        )
        return [
            json.loads(body) for (body,) in self.query(query, (collection, *values, limit, offset))
        ]

    def referring(self, collection: str, name: str, sourced_id: str) -> list[str]:
        """Return the ids of a collection's records whose reference `name` is to a record."""
        query = (
            f"SELECT id FROM records WHERE collection = ? AND {_refers_sql(name)} = ? ORDER BY id"
        )
        return [referring for (referring,) in self.query(query, (collection, sourced_id))]

    def total(self, collection: str, where: str = "1", values: Values = ()) -> int:
        """Count the records that meet an SQL condition on `id` and `body`."""
        query = f"SELECT count(*) FROM records WHERE collection = ? AND ({where})"
        return int(self.query(query, (collection, *values))[0][0])

    def count(self, collection: str, status: str = "active") -> int:
        """Count the records with a status."""
        return self.total(collection, f"{property_sql('status')} = ?", (status,))

    def ids(self, collection: str, status: str = "active") -> Iterator[str]:
        """Yield the ids of the records with a status."""
        return (
            record["sourcedId"]
            for record in self.find(collection, f"{property_sql('status')} = ?", (status,))
        )

    def query(self, query: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Run any statement, and return its rows."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def seed(self) -> None:
        """Store the records of the API's documentation, except those that exist."""
        for collection, records in SEED.items():
            for record in records:
                if not self.has(collection, str(record["sourcedId"])):
                    self.put(collection, {"status": "active", **record})

    def clear(self) -> None:
        """Delete all records."""
        self.query("DELETE FROM records")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _casefold(text: Any) -> str | None:
    return None if text is None else str(text).casefold()


WAIT_SECONDS = 10


def compact(database: Path, wait: float = WAIT_SECONDS) -> bool:
    """Rewrite the file without deleted data, and empty its journal.

    Returns False if another process has used the file for `wait` seconds.
    """
    try:
        with closing(sqlite3.connect(database, timeout=wait, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    return not busy


ORG, COURSE, CLASS = "PLAYCADEMY", "course-123", "class-123"
STUDENT, TEACHER = "student-123", "teacher-123"
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
    "users": [
        _user(STUDENT, "Sam", "Student", "student"),
        _user(TEACHER, "Toni", "Teacher", "teacher"),
    ],
    "courses": [
        {
            "sourcedId": COURSE,
            "title": "Math Grade 4",
            "courseCode": "MATH-G4",
            "grades": ["4"],
            "subjects": ["Math"],
            "org": {"sourcedId": ORG},
        }
    ],
    "classes": [
        {
            "sourcedId": CLASS,
            "title": "Math Grade 4, Section A",
            "classType": "scheduled",
            "course": {"sourcedId": COURSE},
            "school": {"sourcedId": ORG},
            "terms": [{"sourcedId": TERM}],
        }
    ],
    "courseComponents": [
        {"sourcedId": COMPONENT, "title": "Unit 1", "course": {"sourcedId": COURSE}, "sortOrder": 1}
    ],
    "resources": [
        {
            "sourcedId": RESOURCE,
            "title": "Adding numbers",
            "vendorResourceId": RESOURCE,
            "importance": "primary",
            "metadata": {"type": "video", "url": "https://media.example.edu/adding-numbers"},
        }
    ],
    "enrollments": [
        {
            "sourcedId": "enrollment-123",
            "role": "student",
            "primary": "false",
            "user": {"sourcedId": STUDENT},
            "beginDate": "2026-08-15",
            **OF_CLASS,
        },
        {
            "sourcedId": "enrollment-124",
            "role": "teacher",
            "primary": "true",
            "user": {"sourcedId": TEACHER},
            **OF_CLASS,
        },
    ],
}
