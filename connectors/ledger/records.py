"""Read and write the rows of one feed: its records, renamed ids and notified causes.

All functions run inside a transaction of the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Delete,
    FromClause,
    Select,
    Table,
    Text,
    Update,
    and_,
    any_,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)

from connectors.ledger.tables import (
    FEEDS,
    INTENTS,
    LOCKS,
    MOMENTS,
    PLANS,
    RECORDS,
    RENAMED,
    RUNS,
    SALTS,
    TOLD,
    FeedKey,
)
from transforms.changes import ACTIVE, KEPT, LEFT
from transforms.ownership import NOTHING
from transforms.renamed_ids import RenamedIds

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Insert = sqlite.Insert | postgresql.Insert


def feed_id(connection: Connection, key: FeedKey) -> int | None:
    """Return the number of the feed, None if the ledger does not know it."""
    query = select(FEEDS.c.id).where(FEEDS.c.target == key.target, FEEDS.c.feed == key.feed)
    return connection.execute(query).scalar_one_or_none()


def other_feeds(connection: Connection, key: FeedKey) -> list[int]:
    """Return the numbers of the other feeds into the same target."""
    query = select(FEEDS.c.id).where(FEEDS.c.target == key.target, FEEDS.c.feed != key.feed)
    return list(connection.execute(query).scalars())


def insert_feed_id(connection: Connection, key: FeedKey) -> int:
    """Return the number of the feed, which is inserted if it is new.

    Other writers for the same feed wait until this transaction ends.
    """
    query = select(FEEDS.c.id).where(FEEDS.c.target == key.target, FEEDS.c.feed == key.feed)
    locking = query.with_for_update(key_share=True)
    number = connection.execute(locking).scalar_one_or_none()
    if number is None:
        connection.execute(
            insert_if_missing(connection, FEEDS), {"target": key.target, "feed": key.feed}
        )
        number = connection.execute(locking).scalar_one()
    return int(number)


def entities(connection: Connection, table: Table, feed: int) -> Iterator[str]:
    """Yield the entities of a feed, with one index lookup each. DISTINCT would read every row."""
    query = select(func.min(table.c.entity)).where(
        table.c.feed_id == feed, table.c.entity > bindparam("last")
    )
    last = connection.execute(query, {"last": ""}).scalar_one()
    while last is not None:
        yield last
        last = connection.execute(query, {"last": last}).scalar_one()


def rows_query(table: Table, columns: Sequence[str], feed: int, entity: str) -> Select[Any]:
    """Build the query for the rows of one feed and entity, in the order of their ids.

    Null text becomes blank: ADBC takes a column for a number if its first rows are all null.
    """
    selected = [
        func.coalesce(table.c[name], "").label(name) if table.c[name].nullable else table.c[name]
        for name in columns
    ]
    return (
        select(*selected)
        .where(table.c.feed_id == feed, table.c.entity == entity)
        .order_by(table.c.sourced_id)
    )


def claims_query(
    key: FeedKey, entity: str, ids: pl.Series | None, statuses: Sequence[str]
) -> Select[Any]:
    """Build the query for the records of an entity that other feeds have in the same target.

    Only records in some statuses count and, unless `ids` is None, only those ids. The columns are
    `sourced_id`, `feed`, `label`, `parents` and `ends`.
    """
    others = (FEEDS.c.target == key.target) & (FEEDS.c.feed != key.feed)
    names = ("label", "parents", "ends")
    texts = (func.coalesce(RECORDS.c[name], "").label(name) for name in names)
    query = select(RECORDS.c.sourced_id, FEEDS.c.feed, *texts)
    query = query.join(FEEDS, FEEDS.c.id == RECORDS.c.feed_id)
    query = query.where(others, RECORDS.c.entity == entity, RECORDS.c.status.in_(statuses))
    query = query.order_by(FEEDS.c.feed, RECORDS.c.sourced_id)
    return query if ids is None else query.where(RECORDS.c.sourced_id.in_(ids.to_list()))


def shares_query(
    feeds: Sequence[int], entity: str, ids: pl.Series | None, own: int | None
) -> Select[Any]:
    """Build the query for what some feeds have of an entity's records (columns `CLAIMS`).

    Only for those of `ids` or, if that is None, for the records that feed `own` has as active.
    """
    texts = ("status", "fields", "items", "yields", "parents", "run")
    query = select(
        RECORDS.c.sourced_id,
        FEEDS.c.feed,
        RECORDS.c.feed_id.label("number"),
        *(func.coalesce(RECORDS.c[name], "").label(name) for name in texts),
        func.coalesce(RECORDS.c.turn, 0).label("turn"),
        RECORDS.c.fingerprint,
    ).join(FEEDS, FEEDS.c.id == RECORDS.c.feed_id)
    query = query.where(RECORDS.c.feed_id.in_(feeds), RECORDS.c.entity == entity)
    query = query.order_by(RECORDS.c.sourced_id)
    if ids is not None:
        return query.where(RECORDS.c.sourced_id.in_(ids.to_list()))
    ours = RECORDS.alias()
    same = and_(ours.c.feed_id == own, ours.c.status == ACTIVE, *_same_keys(RECORDS, ours))
    return query.where(exists().where(same))


def upsert_frame(
    connection: Connection,
    table: Table,
    frame: pl.DataFrame,
    columns: Mapping[str, str],
    **same: object,
) -> None:
    """Upsert rows.

    `columns` maps the table's columns to the frame's; `same` are values shared by all rows.
    """
    if frame.height:
        upsert_rows(
            connection,
            table,
            frame.select(**columns, **{name: pl.lit(value) for name, value in same.items()}),
        )


def run_for_ids(
    connection: Connection,
    statement: Update | Delete,
    table: Table,
    feed: int,
    entity: str,
    ids: Sequence[str],
) -> None:
    """Run a statement on the rows of one feed and entity with these ids."""
    if ids:
        of_entity = statement.where(table.c.feed_id == feed, table.c.entity == entity)
        run_for_values(connection, of_entity, table.c.sourced_id, ids)


def upsert(connection: Connection, table: Table, names: Collection[str] = ()) -> Insert:
    """Build the statement that inserts a row, or overwrites the one with the same key.

    With `names`, only these columns are overwritten.
    """
    statement = _insert(connection, table)
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key and (not names or column.name in names)
    }
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)


def insert_if_missing(connection: Connection, table: Table) -> Insert:
    """Build the statement that inserts a row, unless one with the same key exists."""
    return _insert(connection, table).on_conflict_do_nothing()


def upsert_rows(connection: Connection, table: Table, rows: pl.DataFrame) -> None:
    """Upsert rows with different keys. Columns of the table that are not in the frame stay."""
    statement = upsert(connection, table, rows.columns)
    if _takes_arrays(connection):
        arrays = [
            bindparam(name, rows[name].to_list(), ARRAY(table.c[name].type))
            for name in rows.columns
        ]
        unnested = func.unnest(*arrays).table_valued(*rows.columns).render_derived()
        connection.execute(statement.from_select(rows.columns, select(unnested)))
    else:
        connection.execute(statement, rows.to_dicts())


def run_for_values(
    connection: Connection, statement: Update | Delete, column: Column[str], values: Sequence[str]
) -> None:
    """Run a statement on the rows that have one of the values in a column."""
    if _takes_arrays(connection):
        connection.execute(
            statement.where(column == any_(bindparam("all", list(values), ARRAY(Text))))
        )
    else:
        connection.execute(
            statement.where(column == bindparam("one")), [{"one": value} for value in values]
        )


def _takes_arrays(connection: Connection) -> bool:
    """Return whether one statement can take all rows as arrays; row by row, a network is slow."""
    return connection.dialect.name == "postgresql"


def _insert(connection: Connection, table: Table) -> Insert:
    # Only the dialect in use is imported, because each imports its drivers.
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    statement: Insert = dialect.insert(table)
    return statement


def renamed_ids(connection: Connection, feed: int) -> dict[tuple[str, str], str]:
    """Return the ids that the source replaced: by entity and new id, the id in the target."""
    rows = connection.execute(select(RENAMED).where(RENAMED.c.feed_id == feed))
    return {(row.entity, row.sourced_id): row.was for row in rows}


def note_renamed(connection: Connection, feed: int, renamed: RenamedIds, run: str) -> None:
    """Record new ids and the ids that they replace, as found by a run."""
    rows = [
        {"feed_id": feed, "entity": entity, "sourced_id": new, "was": was, "run": run}
        for (entity, new), was in renamed.items()
    ]
    if rows:
        connection.execute(upsert(connection, RENAMED), rows)


def notified_causes(connection: Connection, feed: int) -> frozenset[str]:
    """Return the causes that people were notified of and that are not over."""
    return frozenset(
        connection.execute(select(TOLD.c.cause).where(TOLD.c.feed_id == feed)).scalars()
    )


def note_notified(
    connection: Connection, feed: int, told: Collection[str], run: str, at: datetime
) -> None:
    """Record the causes of which a run notified people, at a time in UTC."""
    for cause in told:
        values = {"feed_id": feed, "cause": cause, "run": run, "at": at.isoformat()}
        connection.execute(upsert(connection, TOLD), values)


def forget_notified(connection: Connection, feed: int, ended: Collection[str]) -> None:
    """Delete causes that are over, so that people are notified again if they return."""
    connection.execute(delete(TOLD).where(TOLD.c.feed_id == feed, TOLD.c.cause.in_(ended)))


# Tables in which both feeds may have a row with the same key. The new feed's row wins: it is newer.
SHARED = (RECORDS, INTENTS, RENAMED, MOMENTS, TOLD)


def move_feed(connection: Connection, old: int, new: int) -> None:
    """Move everything of feed `old` to feed `new`, and delete the old feed.

    The new feed may have kept a record only because the old feed had sent it too. Such a record
    gets the old feed's status, so that the next run finds it missing again and decides. If the new
    feed has run, the open plans of both count as replaced: those of the old feed are of an older
    roster, and those of the new one were made without the old feed's records.
    """
    older = RECORDS.alias()
    same = and_(older.c.feed_id == old, *_same_keys(RECORDS, older))
    status = select(older.c.status).where(same).scalar_subquery()
    _share_with_nobody(connection, new, older, same)
    stays = RECORDS.c.status.in_((KEPT, LEFT))
    kept = and_(RECORDS.c.feed_id == new, stays, exists().where(same))
    connection.execute(update(RECORDS).where(kept).values(status=status))
    for table in SHARED:
        newer = table.alias()
        both = and_(newer.c.feed_id == new, *_same_keys(table, newer))
        connection.execute(delete(table).where(table.c.feed_id == old, exists().where(both)))
    if connection.execute(select(RUNS.c.id).where(RUNS.c.feed_id == new).limit(1)).first():
        open_plans = and_(PLANS.c.feed_id.in_((old, new)), PLANS.c.status == "open")
        connection.execute(update(PLANS).where(open_plans).values(status="replaced"))
    # The old feed's salt wins: with another salt, everybody would get a new id.
    old_salt = SALTS.alias()
    connection.execute(
        delete(SALTS).where(SALTS.c.feed_id == new, exists().where(old_salt.c.feed_id == old))
    )
    for table in (*SHARED, SALTS, RUNS, PLANS):
        connection.execute(update(table).where(table.c.feed_id == old).values(feed_id=new))
    connection.execute(delete(LOCKS).where(LOCKS.c.feed_id == old))
    connection.execute(delete(FEEDS).where(FEEDS.c.id == old))


def _share_with_nobody(
    connection: Connection, new: int, older: FromClause, same: ColumnElement[bool]
) -> None:
    """Let a feed's records belong to it alone that another feed of the same name has sent too.

    Where both have sent the same, nothing needs to be sent. Where they have not, a record that left
    something to the other feed gets a fingerprint that no roster has, and is sent again.
    """
    both = and_(RECORDS.c.feed_id == new, exists().where(same))
    unequal = exists().where(same, older.c.fingerprint != RECORDS.c.fingerprint)
    leaves = func.coalesce(RECORDS.c.yields, NOTHING) != NOTHING
    mark = RECORDS.c.fingerprint
    other_mark = mark.op("|")(1) - mark.op("&")(1)
    connection.execute(update(RECORDS).where(both, unequal, leaves).values(fingerprint=other_mark))
    connection.execute(update(RECORDS).where(both).values(turn=None, items=None, yields=None))


def _same_keys(table: Table, other: FromClause) -> list[ColumnElement[bool]]:
    return [
        table.c[key.name] == other.c[key.name] for key in table.primary_key if key.name != "feed_id"
    ]
