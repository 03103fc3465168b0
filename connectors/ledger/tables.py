"""The ledger's tables, in SQL that SQLite and PostgreSQL both speak."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, Table, Text, UniqueConstraint

VERSION = 1
ACTIVE, DELETED = "active", "deleted"

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
# `run` is the run that touched the record last.
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
