"""Forgetting in the ledger: who is forgotten, by digest alone, and the rows of a person, found and taken out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, or_, select, update

from connectors.ledger.records import each, each_of, unless_there
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
)
from transforms.checks.references import words
from transforms.schemas import ENTITIES

Mask = Callable[[str], str]
MARKS: dict[str, type[pl.DataType]] = {"sourcedId": pl.String, "old": pl.Int64, "new": pl.Int64}


@dataclass(frozen=True)
class Erasure:
    """What a feed is to let go of: by entity the `ids` of records, and what is changed where they were named.

    `marks` are the fingerprints of users whose records say less now (`sourcedId`, `old`, `new`), `contents` the
    digests of changed rosters by the run that archived them; `masked` changes what people and runs wrote on plans.
    """

    ids: Mapping[str, Sequence[str]]
    marks: pl.DataFrame
    contents: Mapping[str, str]
    masked: Mask


def note(connection: Connection, digest: str, at: datetime, by: str, why: str) -> None:
    """Keep that somebody is forgotten; who is already stays so, as it was noted first."""
    row = {"digest": digest, "at": at.isoformat(), "by": by, "note": why}
    connection.execute(unless_there(connection, FORGOTTEN), row)


def digests(connection: Connection) -> frozenset[str]:
    """The digests of all who are forgotten."""
    return frozenset(connection.execute(select(FORGOTTEN.c.digest)).scalars())


def of_person(connection: Connection, feed: int, person: str) -> dict[str, list[str]]:
    """Per entity, the ids of the row of a person (`users`) and of the rows that name that person as a parent."""
    word = f"users:{person}"
    columns = (RECORDS.c.entity, RECORDS.c.sourced_id, RECORDS.c.parents)
    own = and_(RECORDS.c.entity == "users", RECORDS.c.sourced_id == person)
    named = or_(own, RECORDS.c.parents.contains(word, autoescape=True))
    found: dict[str, list[str]] = {}
    for row in connection.execute(select(*columns).where(RECORDS.c.feed_id == feed, named)):
        if (row.entity, row.sourced_id) == ("users", person) or word in words(row.parents):
            found.setdefault(row.entity, []).append(row.sourced_id)
    return found


def awaited(connection: Connection, feed: int, person: str) -> bool:
    """Whether a person is on the way to the target, or stands in a plan."""
    for table, of_feed in ((INTENTS, INTENTS.c.feed_id == feed), (PLANNED, _of_feed(feed))):
        there = select(table.c.entity).where(
            of_feed, table.c.entity == "users", table.c.sourced_id == person
        )
        if connection.execute(there.limit(1)).first():
            return True
    return False


def erase(connection: Connection, feed: int, erasure: Erasure) -> list[str]:
    """Take a person out of a feed; give the open plans of which nothing is left."""
    for entity, ids in erasure.ids.items():
        _delete(connection, feed, entity, ids)
    for sourced_id, old, new in erasure.marks.select("sourcedId", "old", "new").iter_rows():
        _remark(connection, feed, sourced_id, old, new)
    for run, digest in erasure.contents.items():
        of_run = update(RUNS).where(RUNS.c.feed_id == feed, RUNS.c.roster == run)
        connection.execute(of_run.values(content=digest))
    of_feed = PLANS.c.feed_id == feed
    _mask(connection, PLANS, of_feed, erasure.masked)
    _mask(
        connection,
        DECISIONS,
        DECISIONS.c.plan.in_(select(PLANS.c.id).where(of_feed)),
        erasure.masked,
    )
    left = select(PLANNED.c.plan).where(PLANNED.c.plan == PLANS.c.id)
    return list(
        connection.execute(
            select(PLANS.c.id).where(of_feed, PLANS.c.status == "open", ~left.exists())
        ).scalars()
    )


def _delete(connection: Connection, feed: int, entity: str, ids: Sequence[str]) -> None:
    """Delete rows, intents, moments, planned changes and what is known of other ids."""
    if ids:
        for table in (RECORDS, INTENTS, MOMENTS):
            each(connection, delete(table), table, feed, entity, ids)
        planned = delete(PLANNED).where(_of_feed(feed), PLANNED.c.entity == entity)
        each_of(connection, planned, PLANNED.c.sourced_id, ids)
        names = delete(RENAMED).where(RENAMED.c.feed_id == feed, RENAMED.c.entity == entity)
        each_of(connection, names, RENAMED.c.was, ids)
        for part in (part.name for part in ENTITIES.values() if part.folds_into == entity):
            theirs = delete(MOMENTS).where(MOMENTS.c.feed_id == feed, MOMENTS.c.entity == part)
            each_of(connection, theirs, MOMENTS.c.owner, ids)


def _remark(connection: Connection, feed: int, sourced_id: str, old: int, new: int) -> None:
    """Give a user another fingerprint, wherever it has the old one."""
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


def _mask(connection: Connection, table: Table, where: ColumnElement[bool], masked: Mask) -> None:
    """Change the notes of people, and the sentences of what is held."""
    for row in connection.execute(select(table).where(where)).mappings().all():
        new = {"note": masked(row["note"])}
        if "holds" in row:
            holds = json.loads(row["holds"])
            new["holds"] = json.dumps(
                [hold | {"sentence": masked(hold["sentence"])} for hold in holds]
            )
        if any(new[name] != row[name] for name in new):
            connection.execute(update(table).where(table.c.id == row["id"]).values(**new))


def _of_feed(feed: int) -> ColumnElement[bool]:
    """Whether a planned change is of a plan of this feed."""
    return PLANNED.c.plan.in_(select(PLANS.c.id).where(PLANS.c.feed_id == feed))
