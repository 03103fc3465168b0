"""Of which causes people were told, feed by feed, so that nobody is told twice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from connectors.ledger.dialects import upsert
from connectors.ledger.tables import TOLD


def causes(connection: Connection, feed: int) -> frozenset[str]:
    """Give the causes of which somebody was told, and which are not over."""
    return frozenset(connection.execute(select(TOLD.c.cause).where(TOLD.c.feed_id == feed)).scalars())


def note(connection: Connection, feed: int, told: Collection[str], run: str, at: datetime) -> None:
    """Keep of which causes somebody was told by a run, at a moment (in UTC)."""
    for cause in told:
        values = {"feed_id": feed, "cause": cause, "run": run, "at": at.isoformat()}
        connection.execute(upsert(connection, TOLD), values)


def over(connection: Connection, feed: int, ended: Collection[str]) -> None:
    """Forget causes that are over, so that people are told again when they come back."""
    connection.execute(delete(TOLD).where(TOLD.c.feed_id == feed, TOLD.c.cause.in_(ended)))
