"""Gives everything that is kept of a feed to another name, in one transaction: all of it or nothing."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, FromClause, Table, and_, delete, exists, select, update

from connectors.ledger.tables import FEEDS, INTENTS, LOCKS, MOMENTS, PLANS, RECORDS, RENAMED, RUNS, SALTS, TOLD
from transforms.changes import KEPT

# Tables whose rows are of a feed and of something that both may have; what the new name has is newer, and stays.
SHARED = (RECORDS, INTENTS, RENAMED, MOMENTS, TOLD)


def move(connection: Connection, old: int, new: int) -> None:
    """Give what feed `old` has to feed `new`, and forget the old one.

    A record that the new name only kept because the old one had sent it too has not been decided on: it is as the
    old one has it, so that the next run sees it vanish again. Open plans of the old name, if the new one has run, are
    replaced by that run.
    """
    older = RECORDS.alias()
    same = and_(older.c.feed_id == old, *_keys(RECORDS, older))
    status = select(older.c.status).where(same).scalar_subquery()
    kept = and_(RECORDS.c.feed_id == new, RECORDS.c.status == KEPT, exists().where(same))
    connection.execute(update(RECORDS).where(kept).values(status=status))
    for table in SHARED:
        newer = table.alias()
        both = and_(newer.c.feed_id == new, *_keys(table, newer))
        connection.execute(delete(table).where(table.c.feed_id == old, exists().where(both)))
    if connection.execute(select(RUNS.c.id).where(RUNS.c.feed_id == new).limit(1)).first():
        open_plans = and_(PLANS.c.feed_id == old, PLANS.c.status == "open")
        connection.execute(update(PLANS).where(open_plans).values(status="replaced"))
    # The salt by which the old name made its ids goes along: with another one, everybody would be somebody else.
    theirs = SALTS.alias()
    connection.execute(delete(SALTS).where(SALTS.c.feed_id == new, exists().where(theirs.c.feed_id == old)))
    for table in (*SHARED, SALTS, RUNS, PLANS):
        connection.execute(update(table).where(table.c.feed_id == old).values(feed_id=new))
    connection.execute(delete(LOCKS).where(LOCKS.c.feed_id == old))
    connection.execute(delete(FEEDS).where(FEEDS.c.id == old))


def _keys(table: Table, other: FromClause) -> list[ColumnElement[bool]]:
    return [table.c[key.name] == other.c[key.name] for key in table.primary_key if key.name != "feed_id"]
