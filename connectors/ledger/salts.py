"""By which salt a feed's ids were made of personal data: another one would make new people of everybody.

The feeds of one district into one target have one salt: a mother may be in both.

Of a salt that is a secret only a mark is kept, by which it is known again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, select

from connectors.ledger.records import unless_there
from connectors.ledger.tables import FEEDS, INTENTS, PLANNED, PLANS, RECORDS, SALTS, FeedKey


@dataclass(frozen=True)
class Kept:
    """What is kept of a salt: its `text`, blank if it is a secret, and its `mark`."""

    text: str
    mark: str


def kept_of(salt: str, *, secret: bool) -> Kept:
    """What is to be kept of a salt."""
    return Kept("" if secret else salt, sha256(f"salt {salt}".encode()).hexdigest())


def district(connection: Connection, key: FeedKey) -> list[int]:
    """Numbers of the feeds of a district into one target, that of the key first; blank if the ledger has heard of none."""
    rows = connection.execute(
        select(FEEDS.c.id, FEEDS.c.feed).where(FEEDS.c.target == key.target).order_by(FEEDS.c.id)
    )
    found = [row for row in rows if _district(row.feed) == _district(key.feed)]
    return [row.id for row in sorted(found, key=lambda row: row.feed != key.feed)]


def _district(feed: str) -> str:
    return feed.partition("/")[0]


def salt(connection: Connection, feeds: Sequence[int]) -> Kept | None:
    """Give what is kept of the salt of the first of some feeds that has one; None if no id was made by one."""
    rows = {
        row.feed_id: row
        for row in connection.execute(select(SALTS).where(SALTS.c.feed_id.in_(feeds)))
    }
    first = next((rows[feed] for feed in feeds if feed in rows), None)
    return None if first is None else Kept(first.salt, first.mark)


def note(connection: Connection, feed: int, kept: Kept, run: str) -> None:
    """Keep the first salt of a feed, as a run said."""
    values = {"feed_id": feed, "salt": kept.text, "mark": kept.mark, "run": run}
    connection.execute(unless_there(connection, SALTS), values)


def readable(connection: Connection, target: str) -> frozenset[str]:
    """Give the ids of people that are made of something, and were sent to a target, were about to be or wait for a person."""
    feeds = select(FEEDS.c.id).where(FEEDS.c.target == target)
    waiting = select(PLANS.c.id).where(
        PLANS.c.feed_id.in_(feeds), PLANS.c.status.in_(["open", "approved"])
    )
    found: set[str] = set()
    for table, of_feeds in (
        (RECORDS, RECORDS.c.feed_id.in_(feeds)),
        (INTENTS, INTENTS.c.feed_id.in_(feeds)),
        (PLANNED, PLANNED.c.plan.in_(waiting)),
    ):
        of_people = (of_feeds, table.c.entity == "users", table.c.sourced_id.contains("/"))
        found.update(connection.execute(select(table.c.sourced_id).where(*of_people)).scalars())
    return frozenset(found)
