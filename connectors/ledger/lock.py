"""One run at a time for each feed: the database has the lock, and a table says whose it is."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import select

from connectors.ledger.database import Database
from connectors.ledger.records import feed_id, made_feed_id, upsert
from connectors.ledger.tables import LOCKS, FeedKey


@dataclass(frozen=True)
class Holder:
    """The run that holds a feed; `since` is in UTC, ISO 8601."""

    run: str
    process: int
    host: str
    since: str


class Busy(Exception):
    """Another run holds the feed; `holder` says which, if it has told yet."""

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
def held(database: Database, key: FeedKey, run: str) -> Iterator[None]:
    """Hold a feed while the body runs; raise `Busy` at once if another run, or this process, holds it."""
    with database.locked(_name(key)) as taken:
        if not taken:
            raise Busy(key, _written(database, key))
        _write(database, key, run)
        yield


def holder(database: Database, key: FeedKey) -> Holder | None:
    """Who holds a feed now; None if nobody does."""
    return _written(database, key) if database.is_locked(_name(key)) else None


def _name(key: FeedKey) -> str:
    # Names of feeds do not stand in names of files.
    return sha256(json.dumps([key.target, key.feed]).encode()).hexdigest()[:32]


def _write(database: Database, key: FeedKey, run: str) -> None:
    me = Holder(
        run, os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds")
    )
    with database.writing() as connection:
        row = {"feed_id": made_feed_id(connection, key), **asdict(me)}
        connection.execute(upsert(connection, LOCKS), row)


def _written(database: Database, key: FeedKey) -> Holder | None:
    """Who held the feed last: the row stays when the lock has gone."""
    with database.reading() as connection:
        query = select(LOCKS.c.run, LOCKS.c.process, LOCKS.c.host, LOCKS.c.since)
        row = connection.execute(
            query.where(LOCKS.c.feed_id == feed_id(connection, key))
        ).one_or_none()
    return Holder(*row) if row else None
