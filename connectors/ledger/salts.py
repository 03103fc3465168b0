"""By which salt a feed's ids were made of personal data, feed by feed: another one would make new people of everybody.

Of a salt that is a secret only a mark is kept, by which it is known again.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, select

from connectors.ledger.dialects import unless_there
from connectors.ledger.tables import INTENTS, RECORDS, SALTS


@dataclass(frozen=True)
class Kept:
    """What is kept of a salt: its `text`, blank if it is a secret, and its `mark`."""

    text: str
    mark: str


def kept_of(salt: str, *, secret: bool) -> Kept:
    """What is to be kept of a salt."""
    return Kept("" if secret else salt, sha256(f"salt {salt}".encode()).hexdigest())


def salt(connection: Connection, feed: int) -> Kept | None:
    """Give what is kept of a feed's salt; None if no id was made by one."""
    row = connection.execute(select(SALTS).where(SALTS.c.feed_id == feed)).first()
    return None if row is None else Kept(row.salt, row.mark)


def note(connection: Connection, feed: int, kept: Kept, run: str) -> None:
    """Keep the first salt of a feed, as a run said."""
    values = {"feed_id": feed, "salt": kept.text, "mark": kept.mark, "run": run}
    connection.execute(unless_there(connection, SALTS), values)


def readable(connection: Connection, feed: int) -> frozenset[str]:
    """Give the ids of people that are made of something, and were sent or were about to be."""
    found: set[str] = set()
    for table in (RECORDS, INTENTS):
        of_people = (table.c.feed_id == feed, table.c.entity == "users", table.c.sourced_id.contains("/"))
        found.update(connection.execute(select(table.c.sourced_id).where(*of_people)).scalars())
    return frozenset(found)
