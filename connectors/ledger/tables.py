"""The ledger's tables, in SQL that SQLite and PostgreSQL both speak."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, MetaData, Table, Text, UniqueConstraint

VERSION = 2

TABLES = MetaData()

LEDGER = Table("ledger", TABLES, Column("version", Integer, primary_key=True))

FEEDS = Table(
    "feeds",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("target", Text, nullable=False),
    Column("feed", Text, nullable=False),
    UniqueConstraint("target", "feed"),
)


def _key() -> tuple[Column[int], Column[str], Column[str]]:
    """The key of a record: rows of one feed and entity lie together, and are read without touching others."""
    return (
        Column("feed_id", Integer, ForeignKey("feeds.id"), primary_key=True),
        Column("entity", Text, primary_key=True),
        Column("sourced_id", Text, primary_key=True),
    )


# What the target has acknowledged. `fields` are the columns that we sent, which are ours to change;
# `run` is the run that touched the record last, `ends` the last day of what is over some day.
RECORDS = Table(
    "records",
    TABLES,
    *_key(),
    Column("fingerprint", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("school", Text),
    Column("parents", Text),
    Column("label", Text),
    Column("fields", Text),
    Column("run", Text, nullable=False),
    Column("ends", Text),
    sqlite_with_rowid=False,
)

# What was about to be sent, and has not been answered yet.
INTENTS = Table(
    "intents",
    TABLES,
    *_key(),
    Column("fingerprint", BigInteger, nullable=False),
    Column("run", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Each run of a feed that sends, as `history.Run`; times are ISO 8601 in UTC, `counts` is JSON.
RUNS = Table(
    "runs",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id"), nullable=False, index=True),
    Column("command", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("ended", Text),
    Column("drop", Text, nullable=False),
    Column("drop_date", Text),
    Column("content", Text, nullable=False),
    Column("roster", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("exit_code", Integer),
    Column("counts", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("approved", Text, nullable=False),
    Column("raised", Text, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("max_age_hours", Float),
    Column("note", Text, nullable=False),
)

# Which run took a feed's lock last; whether it still has it, the lock itself says (`lock.py`).
LOCKS = Table(
    "locks",
    TABLES,
    Column("feed_id", Integer, ForeignKey("feeds.id"), primary_key=True),
    Column("run", Text, nullable=False),
    Column("process", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("since", Text, nullable=False),
)

# What runs held; `holds` is JSON. What exactly waits stands in `planned`, who decided in `decisions`.
PLANS = Table(
    "plans",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id"), nullable=False, index=True),
    Column("run", Text, nullable=False),
    Column("made", Text, nullable=False),
    Column("expires", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("holds", Text, nullable=False),
    Column("decided", Text),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

PLANNED = Table(
    "planned",
    TABLES,
    Column("plan", Text, ForeignKey("plans.id"), primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("sourced_id", Text, primary_key=True),
    Column("action", Text, nullable=False),
    Column("fingerprint", BigInteger),
    Column("was", BigInteger),
    Column("was_status", Text),
    Column("school", Text),
    Column("grade", Text),
    Column("hold", Text, nullable=False),
    sqlite_with_rowid=False,
)

DECISIONS = Table(
    "decisions",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("plan", Text, ForeignKey("plans.id"), nullable=False, index=True),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("note", Text, nullable=False),
)
