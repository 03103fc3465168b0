"""The salts with which ids were made from personal data. With another salt, all ids would change.

The feeds of one district into one target share a salt, because a person may be in several feeds.
Of a secret salt, the ledger stores only a digest that identifies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, select

from connectors.ledger.records import insert_if_missing
from connectors.ledger.tables import FEEDS, INTENTS, PLANNED, PLANS, RECORDS, SALTS, FeedKey


@dataclass(frozen=True)
class StoredSalt:
    """What the ledger stores of a salt."""

    text: str  # blank if the salt is a secret
    mark: str  # a digest that identifies it


def stored_salt(salt: str, *, secret: bool) -> StoredSalt:
    """Return what to store of a salt."""
    return StoredSalt("" if secret else salt, sha256(f"salt {salt}".encode()).hexdigest())


def feeds_of_district(connection: Connection, key: FeedKey) -> list[int]:
    """Return the numbers of the known feeds of a district into one target, the key's feed first."""
    rows = connection.execute(
        select(FEEDS.c.id, FEEDS.c.feed).where(FEEDS.c.target == key.target).order_by(FEEDS.c.id)
    )
    same = [row for row in rows if _district_name(row.feed) == _district_name(key.feed)]
    return [row.id for row in sorted(same, key=lambda row: row.feed != key.feed)]


def _district_name(feed: str) -> str:
    return feed.partition("/")[0]


def read_salt(connection: Connection, feeds: Sequence[int]) -> StoredSalt | None:
    """Return the salt of the first feed that has one, None if no feed has."""
    rows = {
        row.feed_id: row
        for row in connection.execute(select(SALTS).where(SALTS.c.feed_id.in_(feeds)))
    }
    first = next((rows[feed] for feed in feeds if feed in rows), None)
    return None if first is None else StoredSalt(first.salt, first.mark)


def record_salt(connection: Connection, feed: int, kept: StoredSalt, run: str) -> None:
    """Record the salt that a run used for a feed, unless the feed has one."""
    values = {"feed_id": feed, "salt": kept.text, "mark": kept.mark, "run": run}
    connection.execute(insert_if_missing(connection, SALTS), values)


def readable_ids(connection: Connection, target: str) -> frozenset[str]:
    """Return the ids of people that contain a slash: they were made from readable parts.

    Includes ids that were sent to the target, were about to be sent, or wait in a plan.
    """
    feeds = select(FEEDS.c.id).where(FEEDS.c.target == target)
    waiting = select(PLANS.c.id).where(
        PLANS.c.feed_id.in_(feeds), PLANS.c.status.in_(["open", "approved"])
    )
    ids: set[str] = set()
    for table, of_feeds in (
        (RECORDS, RECORDS.c.feed_id.in_(feeds)),
        (INTENTS, INTENTS.c.feed_id.in_(feeds)),
        (PLANNED, PLANNED.c.plan.in_(waiting)),
    ):
        of_people = (of_feeds, table.c.entity == "users", table.c.sourced_id.contains("/"))
        ids.update(connection.execute(select(table.c.sourced_id).where(*of_people)).scalars())
    return frozenset(ids)
