"""Which ids a source has given up for others, feed by feed: sources say so once, and use the new ids ever after."""

from __future__ import annotations

from sqlalchemy import Connection, select

from connectors.ledger.dialects import upsert
from connectors.ledger.tables import RENAMED
from transforms.renaming import Renamed


def names(connection: Connection, feed: int) -> dict[tuple[str, str], str]:
    """Give what is known of a feed."""
    rows = connection.execute(select(RENAMED).where(RENAMED.c.feed_id == feed))
    return {(row.entity, row.sourced_id): row.was for row in rows}


def note(connection: Connection, feed: int, renamed: Renamed, run: str) -> None:
    """Keep new ids and what they were, as a run said."""
    rows = [
        {"feed_id": feed, "entity": entity, "sourced_id": new, "was": was, "run": run}
        for (entity, new), was in renamed.items()
    ]
    if rows:
        connection.execute(upsert(connection, RENAMED), rows)
