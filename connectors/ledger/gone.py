"""How much a feed's runs have removed, by what their rows say: a run that was killed could not tell any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from connectors.ledger.tables import RECORDS, RUNS
from transforms.changes import REMOVALS

LEFT = tuple(status for _, status in REMOVALS.values())


def since(connection: Connection, feed: int, moment: datetime, but: str) -> dict[str, int]:
    """Count the records of each entity that runs removed which began at or after a moment (in UTC), one of them aside.

    What a person approved, or a limit let through that was raised once, is left out. Whether a killed run had used up
    raised limits is not known: what it removed counts.
    """
    runs = select(RUNS.c.id).where(RUNS.c.feed_id == feed, RUNS.c.started >= moment.isoformat(), RUNS.c.id != but,
                                   RUNS.c.approved == "", RUNS.c.raised == "")  # fmt: skip
    removed = (RECORDS.c.feed_id == feed, RECORDS.c.status.in_(LEFT), RECORDS.c.run.in_(runs))
    query = select(RECORDS.c.entity, func.count()).where(*removed).group_by(RECORDS.c.entity)
    return {row[0]: row[1] for row in connection.execute(query)}
