"""Forget people in the ledger: find and erase a person's rows, and keep only a digest of the id."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, or_, select, update

from connectors.ledger.records import insert_if_missing, run_for_ids, run_for_values
from connectors.ledger.tables import (
    DECISIONS,
    FORGOTTEN,
    INTENTS,
    MOMENTS,
    PLANNED,
    PLANS,
    RECORDS,
    RENAMED,
    RUNS,
    Types,
)
from transforms.checks.references import split_parents
from transforms.schemas import ENTITIES

Redact = Callable[[str], str]
FINGERPRINT_COLUMNS: Types = {"sourcedId": pl.String, "old": pl.Int64, "new": pl.Int64}


@dataclass(frozen=True)
class Erasure:
    """What to erase in a feed: records, and everything else that names the person."""

    # By entity, the ids of the records.
    ids: Mapping[str, Sequence[str]]
    # New fingerprints of users whose records have less content now: `sourcedId`, `old`, `new`.
    marks: pl.DataFrame
    # New digests of archived rosters, by the run that archived them.
    contents: Mapping[str, str]
    # Redacts the notes and sentences on plans.
    masked: Redact


def record_forgotten(connection: Connection, digest: str, at: datetime, by: str, why: str) -> None:
    """Record that a person is forgotten. An earlier entry stays unchanged."""
    row = {"digest": digest, "at": at.isoformat(), "by": by, "note": why}
    connection.execute(insert_if_missing(connection, FORGOTTEN), row)


def forgotten_digests(connection: Connection) -> frozenset[str]:
    """Return the digests of the ids of all forgotten people."""
    return frozenset(connection.execute(select(FORGOTTEN.c.digest)).scalars())


def ids_of_person(connection: Connection, feed: int, person: str) -> dict[str, list[str]]:
    """Return the ids of a person's row and of rows that name the person as parent, by entity."""
    word = f"users:{person}"
    columns = (RECORDS.c.entity, RECORDS.c.sourced_id, RECORDS.c.parents)
    own = and_(RECORDS.c.entity == "users", RECORDS.c.sourced_id == person)
    # The text search may find longer ids too; `words` then decides.
    candidates = or_(own, RECORDS.c.parents.contains(word, autoescape=True))
    by_entity: dict[str, list[str]] = {}
    for row in connection.execute(select(*columns).where(RECORDS.c.feed_id == feed, candidates)):
        if (row.entity, row.sourced_id) == ("users", person) or word in split_parents(row.parents):
            by_entity.setdefault(row.entity, []).append(row.sourced_id)
    return by_entity


def is_waiting_for(connection: Connection, feed: int, person: str) -> bool:
    """Return whether a person has an intent or is part of a plan."""
    for table, of_feed in ((INTENTS, INTENTS.c.feed_id == feed), (PLANNED, _of_feed(feed))):
        rows = select(table.c.entity).where(
            of_feed, table.c.entity == "users", table.c.sourced_id == person
        )
        if connection.execute(rows.limit(1)).first():
            return True
    return False


def erase(connection: Connection, feed: int, erasure: Erasure) -> list[str]:
    """Erase a person from a feed; return the open plans that are empty now."""
    for entity, ids in erasure.ids.items():
        _delete(connection, feed, entity, ids)
    for sourced_id, old, new in erasure.marks.select("sourcedId", "old", "new").iter_rows():
        _replace_fingerprint(connection, feed, sourced_id, old, new)
    for run, digest in erasure.contents.items():
        of_run = update(RUNS).where(RUNS.c.feed_id == feed, RUNS.c.roster == run)
        connection.execute(of_run.values(content=digest))
    of_feed = PLANS.c.feed_id == feed
    decisions_of_feed = DECISIONS.c.plan.in_(select(PLANS.c.id).where(of_feed))
    _redact(connection, PLANS, of_feed, erasure.masked)
    _redact(connection, DECISIONS, decisions_of_feed, erasure.masked)
    changes_left = select(PLANNED.c.plan).where(PLANNED.c.plan == PLANS.c.id)
    empty = select(PLANS.c.id).where(of_feed, PLANS.c.status == "open", ~changes_left.exists())
    return list(connection.execute(empty).scalars())


def _delete(connection: Connection, feed: int, entity: str, ids: Sequence[str]) -> None:
    """Delete the records, intents, times, planned changes and renamed ids of some ids."""
    if ids:
        for table in (RECORDS, INTENTS, MOMENTS):
            run_for_ids(connection, delete(table), table, feed, entity, ids)
        planned = delete(PLANNED).where(_of_feed(feed), PLANNED.c.entity == entity)
        run_for_values(connection, planned, PLANNED.c.sourced_id, ids)
        names = delete(RENAMED).where(RENAMED.c.feed_id == feed, RENAMED.c.entity == entity)
        run_for_values(connection, names, RENAMED.c.was, ids)
        for part in (part.name for part in ENTITIES.values() if part.folds_into == entity):
            theirs = delete(MOMENTS).where(MOMENTS.c.feed_id == feed, MOMENTS.c.entity == part)
            run_for_values(connection, theirs, MOMENTS.c.owner, ids)


def _replace_fingerprint(
    connection: Connection, feed: int, sourced_id: str, old: int, new: int
) -> None:
    """Replace the old fingerprint of a user everywhere."""
    for table, name in (
        (RECORDS, "fingerprint"),
        (INTENTS, "fingerprint"),
        (PLANNED, "fingerprint"),
        (PLANNED, "was"),
    ):
        of_feed = _of_feed(feed) if table is PLANNED else table.c.feed_id == feed
        where = (
            of_feed,
            table.c.entity == "users",
            table.c.sourced_id == sourced_id,
            table.c[name] == old,
        )
        connection.execute(update(table).where(*where).values({name: new}))


def _redact(connection: Connection, table: Table, where: ColumnElement[bool], mask: Redact) -> None:
    """Redact the notes of people, and the sentences of holds."""
    for row in connection.execute(select(table).where(where)).mappings().all():
        new = {"note": mask(row["note"])}
        if "holds" in row:
            holds = json.loads(row["holds"])
            new["holds"] = json.dumps(
                [hold | {"sentence": mask(hold["sentence"])} for hold in holds]
            )
        if any(new[name] != row[name] for name in new):
            connection.execute(update(table).where(table.c.id == row["id"]).values(**new))


def _of_feed(feed: int) -> ColumnElement[bool]:
    """The condition that a planned change belongs to a plan of this feed."""
    return PLANNED.c.plan.in_(select(PLANS.c.id).where(PLANS.c.feed_id == feed))
