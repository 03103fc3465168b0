"""Reads and writes the rows of one feed and entity, inside a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, Delete, Select, Table, Update, bindparam, func, select

from connectors.ledger.dialects import each_of, put_all, unless_there
from connectors.ledger.key import FeedKey
from connectors.ledger.tables import FEEDS, RECORDS


def feed_id(connection: Connection, key: FeedKey) -> int | None:
    """Number of the feed, if the ledger has heard of it."""
    query = select(FEEDS.c.id).where(FEEDS.c.target == key.target, FEEDS.c.feed == key.feed)
    return connection.execute(query).scalar_one_or_none()


def other_feeds(connection: Connection, key: FeedKey) -> list[int]:
    """Numbers of the other feeds of the same target."""
    query = select(FEEDS.c.id).where(FEEDS.c.target == key.target, FEEDS.c.feed != key.feed)
    return list(connection.execute(query).scalars())


def made_feed_id(connection: Connection, key: FeedKey) -> int:
    """Number of the feed; a new feed is entered. Whoever else writes for the feed waits until this transaction ends."""
    query = select(FEEDS.c.id).where(FEEDS.c.target == key.target, FEEDS.c.feed == key.feed)
    alone = query.with_for_update(key_share=True)
    found = connection.execute(alone).scalar_one_or_none()
    if found is None:
        connection.execute(unless_there(connection, FEEDS), {"target": key.target, "feed": key.feed})
        found = connection.execute(alone).scalar_one()
    return int(found)


def entities(connection: Connection, table: Table, feed: int) -> Iterator[str]:
    """Name the entities of a feed, each found by one step into the index; DISTINCT would read every row."""
    query = select(func.min(table.c.entity)).where(table.c.feed_id == feed, table.c.entity > bindparam("last"))
    last = connection.execute(query, {"last": ""}).scalar_one()
    while last is not None:
        yield last
        last = connection.execute(query, {"last": last}).scalar_one()


def rows_of(table: Table, columns: Sequence[str], feed: int, entity: str) -> Select[Any]:
    """Ask for the rows of one feed and entity, in the order of their ids; null text is given as blank.

    ADBC takes a column for a number if its first rows are all null.
    """
    asked = [
        func.coalesce(table.c[name], "").label(name) if table.c[name].nullable else table.c[name] for name in columns
    ]
    return select(*asked).where(table.c.feed_id == feed, table.c.entity == entity).order_by(table.c.sourced_id)


def claims_of(key: FeedKey, entity: str, ids: pl.Series | None, statuses: Sequence[str]) -> Select[Any]:
    """Ask which other feeds of the same target have records of an entity in some statuses, all or those with these ids."""
    others = (FEEDS.c.target == key.target) & (FEEDS.c.feed != key.feed)
    query = select(RECORDS.c.sourced_id, FEEDS.c.feed).join(FEEDS, FEEDS.c.id == RECORDS.c.feed_id)
    query = query.where(others, RECORDS.c.entity == entity, RECORDS.c.status.in_(statuses))
    query = query.order_by(FEEDS.c.feed, RECORDS.c.sourced_id)
    return query if ids is None else query.where(RECORDS.c.sourced_id.in_(ids.to_list()))


def put(connection: Connection, table: Table, frame: pl.DataFrame, columns: Mapping[str, str], **same: object) -> None:
    """Insert rows, or overwrite those that are there.

    `columns` maps the table's columns to the frame's; `same` are values that all rows have.
    """
    if frame.height:
        put_all(connection, table, frame.select(**columns, **{name: pl.lit(value) for name, value in same.items()}))


def each(connection: Connection, statement: Update | Delete, table: Table, feed: int, entity: str,
         ids: Sequence[str]) -> None:  # fmt: skip
    """Run a statement on each of the rows with these ids."""
    if ids:
        of_entity = statement.where(table.c.feed_id == feed, table.c.entity == entity)
        each_of(connection, of_entity, table.c.sourced_id, ids)
