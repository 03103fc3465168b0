"""What the sandbox holds: JSON records in SQLite, by collection and id."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transforms.payload import Json

TABLE = """
CREATE TABLE IF NOT EXISTS records (
    collection TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (collection, id)
) WITHOUT ROWID
"""
# The references by which nested reads and filters find records of a large district.
INDEXED = ("$.user.sourcedId", "$.class.sourcedId", "$.school.sourcedId", "$.course.sourcedId")
Values = Sequence[str | int | float]


def path_of(name: str) -> str:
    """The place of a property in a record, for SQLite: `user.sourcedId`, `metadata.some name`."""
    return "$" + "".join(
        f'."{part}"' if not part.isalnum() else f".{part}" for part in name.replace('"', "").split(".")
    )


class Store:
    """The records, in a file or in memory; one connection, which one thread at a time uses."""

    def __init__(self, database: Path | None) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(database or ":memory:", check_same_thread=False, isolation_level=None)
        # A sandbox may forget what the power took; it may not be slow.
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000"
        )
        self._connection.execute(TABLE)
        for number, path in enumerate(INDEXED):
            self._connection.execute(
                f"CREATE INDEX IF NOT EXISTS by_{number} ON records (collection, json_extract(body, '{path}'))"
            )

    def get(self, collection: str, sourced_id: str) -> Json | None:
        """Give one record, deleted ones too."""
        rows = self.query("SELECT body FROM records WHERE collection = ? AND id = ?", (collection, sourced_id))
        return json.loads(rows[0][0]) if rows else None

    def put(self, collection: str, record: Json) -> Json:
        """Keep a record, and say when."""
        record = {
            **record,
            "dateLastModified": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        body = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            self._connection.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (collection, record["sourcedId"], body)
            )
        return record

    def has(self, collection: str, sourced_id: str) -> bool:
        """Tell whether a record is there, deleted or not: the API's foreign keys do not look at the status."""
        return bool(self.query("SELECT 1 FROM records WHERE collection = ? AND id = ?", (collection, sourced_id)))

    def find(
        self,
        collection: str,
        where: str = "1",
        values: Values = (),
        order: str = "id",
        limit: int = -1,
        offset: int = 0,
    ) -> list[Json]:
        """Give the records for which a condition over `body` holds."""
        query = f"SELECT body FROM records WHERE collection = ? AND ({where}) ORDER BY {order} LIMIT ? OFFSET ?"
        return [json.loads(body) for (body,) in self.query(query, (collection, *values, limit, offset))]

    def total(self, collection: str, where: str = "1", values: Values = ()) -> int:
        """Count the records for which a condition holds."""
        return int(
            self.query(f"SELECT count(*) FROM records WHERE collection = ? AND ({where})", (collection, *values))[0][0]
        )

    def count(self, collection: str, status: str = "active") -> int:
        """Count the records of one status."""
        return self.total(collection, "json_extract(body, '$.status') = ?", (status,))

    def ids(self, collection: str, status: str = "active") -> Iterator[str]:
        """Give the ids of one status."""
        return (
            record["sourcedId"] for record in self.find(collection, "json_extract(body, '$.status') = ?", (status,))
        )

    def query(self, query: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Run a query."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def clear(self) -> None:
        """Forget everything."""
        self.query("DELETE FROM records")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
