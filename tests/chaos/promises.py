"""What must be true of a feed after anything that can happen to it.

The target has the newest accepted roster, or the program has reported why not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.feed import Feed
from tests.chaos.registrar import Export
from tests.rosters import Row
from transforms.changes import ACTIVE, IN_TARGET, KEPT, imbalance

One = tuple[str, str]
# The entities that are compared: for each, properties of the target and columns of a row.
SAYS: dict[str, dict[str, str]] = {
    "orgs": {"name": "name"},
    "users": {"givenName": "givenName", "familyName": "familyName", "enabledUser": "enabledUser"},
    "courses": {"title": "title"},
    "classes": {"title": "title"},
    "enrollments": {"user": "userSourcedId", "class": "classSourcedId"},
}
# The entities whose records the feed's policies keep when they are missing from a drop.
STAYS = ("orgs", "courses")
# For each entity, the records of a roster by id; None for a record whose row was rejected.
Roster = dict[str, dict[str, Row | None]]


@dataclass
class Others:
    """What other programs have written into the target."""

    records: dict[One, dict[str, Any]] = field(default_factory=dict)  # complete records of theirs
    added: dict[str, int] = field(default_factory=dict)  # properties that they added to our users
    changed: set[One] = field(default_factory=set)  # our records that they changed


@dataclass
class Told:
    """What people know about the last nights."""

    # Records that were reported as failed, waiting or foreign.
    reported: set[One] = field(default_factory=set)
    left: set[One] = field(
        default_factory=set
    )  # records that a person decided to leave as they are
    settled: bool = False  # false from a run that was killed to the next run that ends


def accepted(before: Roster, export: Export, feed: Feed) -> Roster:
    """Return the roster after an export, by its rows. The archive says which rows were rejected."""
    judged = feed.archive.standing(feed.archive.runs()[-1])
    after = {name: dict(before.get(name, {})) for name in SAYS}
    for name in SAYS:
        rows = {row["sourcedId"]: row for row in export.rows.get(name, [])}
        rejected = set(judged[name].refused["sourcedId"]) if name in judged else set()
        told: dict[str, Row | None] = {one: row for one, row in rows.items() if one not in rejected}
        if export.mode == "bulk":
            after[name] = told | dict.fromkeys(rejected)
            continue
        after[name] |= told | {one: after[name].get(one) for one in rejected}
        for row in export.gone.get(name, []):
            after[name].pop(row["sourcedId"], None)
    assert {name: _sound(after[name]) for name in SAYS} == {
        name: set(judged[name].accepted["sourcedId"]) if name in judged else set() for name in SAYS
    }
    return after


def uncertain(feed: Feed) -> set[str]:
    """Return the entities for which the newest roster cannot say which records are missing."""
    last = feed.archive.runs()[-1:]
    return {
        name
        for run in last
        for name in SAYS
        if (judged := feed.archive.judged(run, name)) and judged.blurred
    }


def balanced(counts: dict[str, Any]) -> None:
    """Assert that each record that was read or vanished is in exactly one count."""
    assert {} == {name: off for name, terms in counts.items() if (off := imbalance(terms))}


def in_force(feed: Feed) -> set[One]:
    """Return the active records of the target, of ours and of others; users only if enabled."""
    return {
        (name, record["sourcedId"])
        for name in SAYS
        for record in feed.sandbox.store.find(name)
        if record["status"] == "active" and str(record.get("enabledUser", "true")).lower() == "true"
    }


def nobody_lost(before: set[One], feed: Feed, roster: Roster, doubtful: set[str]) -> None:
    """Assert that no record of the roster was disabled or deleted.

    While it is unclear which records of an entity are missing, none of the entity may be.
    """
    lost = before - in_force(feed)
    meant = {
        (name, one)
        for name, rows in roster.items()
        for one, row in rows.items()
        if row and row.get("enabledUser") == "false"
    }
    assert set() == {
        (name, one) for name, one in lost - meant if name in doubtful or one in roster[name]
    }


def others_kept(feed: Feed, others: Others) -> None:
    """Assert that everything that others wrote is unchanged."""
    store = feed.sandbox.store
    assert others.records == {(name, one): store.get(name, one) for name, one in others.records}
    assert others.added == {
        one: (store.get("users", one) or {}).get("metadata", {}).get("app") for one in others.added
    }


def delivered(feed: Feed, roster: Roster, others: Others, told: Told) -> None:
    """Assert that the target has the records of the roster, and no other records of ours.

    Records that people know about are excused.
    """
    excused = feed.waiting() | told.reported | told.left
    here = {
        (name, one)
        for name, rows in roster.items()
        for one, row in rows.items()
        if not _has(feed, name, one, row)
    }
    assert set() == here - excused - others.changed
    assert set() == _besides(feed, roster) - excused


def _has(feed: Feed, name: str, one: str, row: Row | None) -> bool:
    record = feed.sandbox.store.get(name, one) or {"status": "nowhere"}
    if row is None:
        return True
    says = {column: _plain(record.get(prop)) for prop, column in SAYS[name].items()}
    return record["status"] == "active" and says == {column: row[column] for column in says}


def _besides(feed: Feed, roster: Roster) -> set[One]:
    """Return our records in the target that are not in the roster, and that no policy keeps."""
    doubtful, found = uncertain(feed), set()
    for name, frame in feed.known().items():
        if name not in SAYS or name in doubtful:
            continue
        there = set(feed.sandbox.store.ids(name))
        kept = (ACTIVE, KEPT) if name not in STAYS else (ACTIVE,)
        for one, status in frame.select("sourcedId", "status").iter_rows():
            if status in kept and one not in roster[name] and one in there:
                found.add((name, one))
    return found


def ours(feed: Feed) -> set[One]:
    """Return our records in the target, according to the ledger."""
    return {
        (name, one)
        for name, frame in feed.known().items()
        for one, status in frame.select("sourcedId", "status").iter_rows()
        if status in IN_TARGET
    }


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("sourcedId"))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sound(rows: dict[str, Row | None]) -> set[str]:
    return {one for one, row in rows.items() if row is not None}
