"""The files that a SIS exports on one night: complete tables, or changes since the last night."""

from __future__ import annotations

from datetime import date

from tests.rosters import manifest
from tests.year.canvas import KEYS
from tests.year.district import District
from tests.year.exports import Form, tables_of
from tests.year.files import Files, Row, Tables

PARTS = ("roles.csv", "demographics.csv")


def sent(form: Form, tables: Tables, before: District | None, now: District, day: date) -> Files:
    """Return the files of a night.

    Args:
        form: The layout.
        tables: The export of this night, perhaps with a fault.
        before: The district on the last night; None on the first.
        now: The true district. Only records that are not in it are marked as deleted.
        day: The date of the night.
    """
    if form == "clever":
        return Files(tables)
    if before is None or form == "bulk":
        return Files(tables) if form == "canvas" else _oneroster(tables, "bulk")
    old, left = tables_of(form, before), tables_of(form, now)
    if form == "canvas":
        return Files(_with_deleted(tables, old, left, day))
    return _oneroster(_changes(tables, old, left, f"{day}T02:00:00.000Z"), "delta")


def _oneroster(tables: Tables, mode: str) -> Files:
    modes = {name.removesuffix(".csv"): mode for name, rows in tables.items() if rows}
    return Files(tables, texts={"manifest.csv": manifest(modes)})


def _changes(tables: Tables, before: Tables, left: Tables, stamp: str) -> Tables:
    """Return new, changed and deleted rows. A person's rows are exported together."""
    found: Tables = {}
    for name, rows in tables.items():
        old = {row["sourcedId"]: row for row in before.get(name, [])}
        there = {row["sourcedId"] for row in left[name]}
        gone = [row for one, row in old.items() if one not in there]
        found[name] = [
            row | {"status": row["status"] or "active", "dateLastModified": stamp}
            for row in rows
            if old.get(row["sourcedId"]) != row
        ]
        found[name] += [row | {"status": "tobedeleted", "dateLastModified": stamp} for row in gone]
    people = {row["sourcedId"] for row in found["users.csv"]} | {
        row["userSourcedId"] for row in found["roles.csv"]
    }
    for name, key in (("users.csv", "sourcedId"), ("roles.csv", "userSourcedId")):
        told = {row[key] for row in found[name]}
        rows = [row for row in tables[name] if row[key] in people - told]
        found[name] += [row | {"status": "active", "dateLastModified": stamp} for row in rows]
    return found


def _with_deleted(tables: Tables, before: Tables, left: Tables, day: date) -> Tables:
    """Add the deleted rows, except those of terms that are over, which are no longer exported."""
    over = {row["term_id"] for row in before.get("terms.csv", []) if row["end_date"] < str(day)}
    courses = {row["course_id"] for row in before.get("courses.csv", []) if row["term_id"] in over}
    found = {}
    for name, rows in tables.items():
        there = {_key(name, row) for row in left[name]}
        gone = [
            row | {"status": "deleted"}
            for row in before.get(name, [])
            if _key(name, row) not in there
        ]
        ended = [
            row
            for row in gone
            if row.get("course_id") in courses or (name == "terms.csv" and row["term_id"] in over)
        ]
        found[name] = [*rows, *(row for row in gone if row not in ended)]
    return found


def _key(name: str, row: Row) -> tuple[str, ...]:
    return tuple(row[column] for column in KEYS[name])
