"""What must hold of a feed after whatever happened to it: the target has the newest accepted roster, or a person was told why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.feed import Feed
from tests.chaos.registrar import Export
from tests.rosters import Row
from transforms.changes import ACTIVE, IN_TARGET, KEPT, imbalance

One = tuple[str, str]
# Of each kind that is looked at, what the target says and what a row says.
SAYS: dict[str, dict[str, str]] = {
    "orgs": {"name": "name"},
    "users": {"givenName": "givenName", "familyName": "familyName", "enabledUser": "enabledUser"},
    "courses": {"title": "title"},
    "classes": {"title": "title"},
    "enrollments": {"user": "userSourcedId", "class": "classSourcedId"},
}
# What stays, by the feed's policies, when it has vanished.
STAYS = ("orgs", "courses")
# Of each kind the records of a roster by id; None for those whose rows were rejected.
Roster = dict[str, dict[str, Row | None]]


@dataclass
class Others:
    """What other programs wrote: whole records as they are, and what they added to ours or changed on them."""

    records: dict[One, dict[str, Any]] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)
    changed: set[One] = field(default_factory=set)


@dataclass
class Told:
    """What people know of the last nights.

    `reported` is what failed, waits or is foreign, `left` what a person decided to leave as it is. `settled` is false
    from a run that was killed to the next one that ends.
    """

    reported: set[One] = field(default_factory=set)
    left: set[One] = field(default_factory=set)
    settled: bool = False


def accepted(before: Roster, export: Export, feed: Feed) -> Roster:
    """The roster as an export leaves it, by what it says; the archive tells only which rows were rejected."""
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
    """The kinds of which the newest roster cannot say who is missing."""
    last = feed.archive.runs()[-1:]
    return {
        name
        for run in last
        for name in SAYS
        if (judged := feed.archive.judged(run, name)) and judged.blurred
    }


def balanced(counts: dict[str, Any]) -> None:
    """Each record that came in, or vanished, ends in one count."""
    assert {} == {name: off for name, terms in counts.items() if (off := imbalance(terms))}


def in_force(feed: Feed) -> set[One]:
    """What the target holds of us and of others that is active, and, of people, may sign in."""
    return {
        (name, record["sourcedId"])
        for name in SAYS
        for record in feed.sandbox.store.find(name)
        if record["status"] == "active" and str(record.get("enabledUser", "true")).lower() == "true"
    }


def nobody_lost(before: set[One], feed: Feed, roster: Roster, doubtful: set[str]) -> None:
    """Whoever a roster has is not disabled or deleted, nor is anyone while nobody can say who is missing."""
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
    """What others wrote is as they wrote it."""
    store = feed.sandbox.store
    assert others.records == {(name, one): store.get(name, one) for name, one in others.records}
    assert others.added == {
        one: (store.get("users", one) or {}).get("metadata", {}).get("app") for one in others.added
    }


def delivered(feed: Feed, roster: Roster, others: Others, told: Told) -> None:
    """The target has each record of the roster as it says, and nothing of ours besides, but for what people know."""
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
    """What the ledger has in the target that the roster lacks, and no policy keeps."""
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
    """What the ledger says that the target holds of us."""
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
