"""Takes the records of closed plans out of the ledger; that there was such a plan, and who decided on it, stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from connectors.ledger.tables import PLANNED, PLANS

CLOSED = ("sent", "replaced", "discarded", "expired")


def prune(connection: Connection, feed: int, before: datetime) -> None:
    """Delete the records of plans that were closed before a moment (in UTC); one that was replaced ends when it would have expired."""
    ended = func.coalesce(PLANS.c.decided, PLANS.c.expires) < before.isoformat()
    closed = select(PLANS.c.id).where(PLANS.c.feed_id == feed, PLANS.c.status.in_(CLOSED), ended)
    connection.execute(delete(PLANNED).where(PLANNED.c.plan.in_(closed)))
