"""What the sandbox holds: JSON records in SQLite, by collection and id."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.oneroster.sandbox.seed import SEED
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


class Store:
    """The records, in a file or in memory; one connection, which one thread at a time uses."""

    def __init__(self, database: Path | None) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(database or ":memory:", check_same_thread=False, isolation_level=None)
        self._connection.executescript(SETTINGS)
        # SQLite's own `lower` knows ASCII only.
        self._connection.create_function("folded", 1, _folded, deterministic=True)
        self._connection.execute(TABLE)
        for name in INDEXED:
            # `collection` is left out: SQLite would prefer the primary key to an index that begins with it.
            self._connection.execute(f"CREATE INDEX IF NOT EXISTS of_{name} ON records ({_refers_sql(name)})")

    def get(self, collection: str, sourced_id: str) -> Json | None:
        """Give one record, deleted ones too."""
        rows = self.query("SELECT body FROM records WHERE collection = ? AND id = ?", (collection, sourced_id))
        return json.loads(rows[0][0]) if rows else None

    def put(self, collection: str, record: Json) -> Json:
        """Keep a record, and say when."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {**record, "dateLastModified": now}
        body = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        self.query("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (collection, record["sourcedId"], body))
        return record

    def has(self, collection: str, sourced_id: str) -> bool:
        """Tell whether a record is there, deleted or not: the API's foreign keys do not look at the status."""
        return bool(self.query("SELECT 1 FROM records WHERE collection = ? AND id = ?", (collection, sourced_id)))

    def find(self, collection: str, where: str = "1", values: Values = (), order: str = "id", limit: int = -1,
             offset: int = 0) -> list[Json]:  # fmt: skip
        """Give the records for which a condition over `id` and `body` holds."""
        query = f"SELECT body FROM records WHERE collection = ? AND ({where}) ORDER BY {order} LIMIT ? OFFSET ?"
        return [json.loads(body) for (body,) in self.query(query, (collection, *values, limit, offset))]

    def referring(self, collection: str, name: str, sourced_id: str) -> list[str]:
        """Give the ids of the records of a collection that refer to a record by a property."""
        query = f"SELECT id FROM records WHERE collection = ? AND {_refers_sql(name)} = ? ORDER BY id"
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
        return (record["sourcedId"] for record in self.find(collection, f"{property_sql('status')} = ?", (status,)))

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
