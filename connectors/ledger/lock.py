"""One run at a time for each feed: the database holds the lock, a table names the holder."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import Connection, select

from connectors.ledger.database import Database
from connectors.ledger.records import feed_id, insert_feed_id, upsert
from connectors.ledger.tables import FEEDS, LOCKS, FeedKey

# The columns of a `Holder`.
HOLDER = (LOCKS.c.run, LOCKS.c.process, LOCKS.c.host, LOCKS.c.since)


@dataclass(frozen=True)
class Holder:
    """The run that holds a feed."""

    run: str
    process: int
    host: str
    since: str  # ISO 8601 in UTC


class Busy(Exception):
    """Another run holds the feed. `holder` is None if it has not recorded itself yet."""

    def __init__(self, key: FeedKey, holder: Holder | None) -> None:
        who = (
            f"run {holder.run} (process {holder.process} on {holder.host}), since {holder.since}"
            if holder
            else "a run that has just begun"
        )
        super().__init__(
            f"Feed {key.feed!r} into {key.target} is being loaded by {who}. "
            "Wait until it has ended, or stop that process, and run again."
        )
        self.holder = holder


@contextmanager
def hold(database: Database, key: FeedKey, run: str) -> Iterator[None]:
    """Hold a feed while the body runs.

    Raises `Busy` at once if another run, in this process or another, holds it.
    """
    name = _lock_name(key)
    with database.locked(name) as taken:
        if not taken:
            raise Busy(key, _last_holder(database, key))
        _record_holder(database, key, run)
        # Whoever takes the lock writes its name here before anything else.
        database.retake(name, lambda connection: _last_run(connection, key) == run)
        yield


def current_holders(database: Database, keys: Collection[FeedKey]) -> dict[FeedKey, Holder | None]:
    """Return the feeds that runs hold now; None for a run that has not recorded itself yet."""
    names = {_lock_name(key): key for key in keys}
    held = [names[name] for name in database.locked_among(names)]
    if not held:
        return {}
    query = select(FEEDS.c.target, FEEDS.c.feed, *HOLDER).join(LOCKS, LOCKS.c.feed_id == FEEDS.c.id)
    with database.reading() as connection:
        rows = connection.execute(query).all()
    last = {FeedKey(target, feed): Holder(*holder) for target, feed, *holder in rows}
    return {key: last.get(key) for key in held}


def current_holder(database: Database, key: FeedKey) -> Holder | None:
    """Return the run that holds a feed now, None if there is none."""
    return current_holders(database, [key]).get(key)


def _lock_name(key: FeedKey) -> str:
    # A digest, because the name of a feed must not appear in file names.
    return sha256(json.dumps([key.target, key.feed]).encode()).hexdigest()[:32]


def _record_holder(database: Database, key: FeedKey, run: str) -> None:
    me = Holder(
        run, os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds")
    )
    with database.writing() as connection:
        row = {"feed_id": insert_feed_id(connection, key), **asdict(me)}
        connection.execute(upsert(connection, LOCKS), row)


def _last_run(connection: Connection, key: FeedKey) -> str | None:
    query = select(LOCKS.c.run).where(LOCKS.c.feed_id == feed_id(connection, key))
    return connection.execute(query).scalar_one_or_none()


def _last_holder(database: Database, key: FeedKey) -> Holder | None:
    """Return the run that held the feed last. The row stays when the lock is released."""
    with database.reading() as connection:
        query = select(*HOLDER).where(LOCKS.c.feed_id == feed_id(connection, key))
        row = connection.execute(query).one_or_none()
    return Holder(*row) if row else None
