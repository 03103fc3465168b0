"""The ledger's tables, in SQL that SQLite and PostgreSQL both speak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.exc import DBAPIError

VERSION = 5

# Text in the order of its bytes, as SQLite has it; a server may follow the rules of a language, which takes longer.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")

TABLES = MetaData()

LEDGER = Table("ledger", TABLES, Column("version", Integer, primary_key=True))

FEEDS = Table(
    "feeds",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("target", TEXT, nullable=False),
    Column("feed", TEXT, nullable=False),
    UniqueConstraint("target", "feed"),
)


def _key() -> tuple[Column[int], Column[str], Column[str]]:
    """The key of a record: rows of one feed and entity lie together, and are read without touching others.

    A server would look up a reference to the feed for every row, which takes as long as writing it.
    """
    return (
        Column("feed_id", Integer, primary_key=True, autoincrement=False),
        Column("entity", TEXT, primary_key=True),
        Column("sourced_id", TEXT, primary_key=True),
    )


# What the target has acknowledged. `fields` are the columns that we sent, which are ours to change;
# `run` is the run that touched the record last, `ends` the last day of what is over some day.
RECORDS = Table(
    "records",
    TABLES,
    *_key(),
    Column("fingerprint", BigInteger, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("school", TEXT),
    Column("parents", TEXT),
    Column("label", TEXT),
    Column("fields", TEXT),
    Column("run", TEXT, nullable=False),
    Column("ends", TEXT),
    sqlite_with_rowid=False,
)

# What was about to be sent, and has not been answered yet.
INTENTS = Table(
    "intents",
    TABLES,
    *_key(),
    Column("fingerprint", BigInteger, nullable=False),
    Column("run", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

# Each run of a feed that sends, as `history.Run`; times are ISO 8601 in UTC, `counts` is JSON.
RUNS = Table(
    "runs",
    TABLES,
    Column("id", TEXT, primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id"), nullable=False, index=True),
    Column("command", TEXT, nullable=False),
    Column("started", TEXT, nullable=False),
    Column("ended", TEXT),
    Column("drop", TEXT, nullable=False),
    Column("drop_date", TEXT),
    Column("content", TEXT, nullable=False),
    Column("roster", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("exit_code", Integer),
    Column("counts", TEXT, nullable=False),
    Column("plan", TEXT, nullable=False),
    Column("approved", TEXT, nullable=False),
    Column("raised", TEXT, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("max_age_hours", Float),
    Column("note", TEXT, nullable=False),
)

# Which run took a feed's lock last; whether it still has it, the lock itself says (`lock.py`).
LOCKS = Table(
    "locks",
    TABLES,
    Column("feed_id", Integer, ForeignKey("feeds.id"), primary_key=True),
    Column("run", TEXT, nullable=False),
    Column("process", Integer, nullable=False),
    Column("host", TEXT, nullable=False),
    Column("since", TEXT, nullable=False),
)

# What runs held; `holds` is JSON. What exactly waits stands in `planned`, who decided in `decisions`.
PLANS = Table(
    "plans",
    TABLES,
    Column("id", TEXT, primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id"), nullable=False, index=True),
    Column("run", TEXT, nullable=False),
    Column("made", TEXT, nullable=False),
    Column("expires", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("holds", TEXT, nullable=False),
    Column("decided", TEXT),
    Column("by", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
)

PLANNED = Table(
    "planned",
    TABLES,
    Column("plan", TEXT, ForeignKey("plans.id"), primary_key=True),
    Column("entity", TEXT, primary_key=True),
    Column("sourced_id", TEXT, primary_key=True),
    Column("action", TEXT, nullable=False),
    Column("fingerprint", BigInteger),
    Column("was", BigInteger),
    Column("was_status", TEXT),
    Column("school", TEXT),
    Column("grade", TEXT),
    Column("hold", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

DECISIONS = Table(
    "decisions",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("plan", TEXT, ForeignKey("plans.id"), nullable=False, index=True),
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("what", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
)

# Of which causes somebody was told, so that nobody is told twice; `cause` is a digest, and `at` ISO 8601 in UTC.
TOLD = Table(
    "told",
    TABLES,
    Column("feed_id", Integer, ForeignKey("feeds.id"), primary_key=True, autoincrement=False),
    Column("cause", TEXT, primary_key=True),
    Column("run", TEXT, nullable=False),
    Column("at", TEXT, nullable=False),
)

# Ids that the source gave up for others; `sourced_id` is the new one, `was` the one that the target knows.
RENAMED = Table(
    "renamed",
    TABLES,
    *_key(),
    Column("was", TEXT, nullable=False),
    Column("run", TEXT, nullable=False),
)

# When the row of a delta was last changed that was accepted of a record: `moment` in microseconds since 1970 (UTC). Of a
# part such as a role, `owner` is whose it is.
MOMENTS = Table("moments", TABLES, *_key(), Column("moment", BigInteger, nullable=False), Column("owner", TEXT),
                sqlite_with_rowid=False)  # fmt: skip

# By which salt the feed's ids were made of personal data (`salts.py`); `mark` is a digest of it.
SALTS = Table(
    "salts",
    TABLES,
    Column("feed_id", Integer, ForeignKey("feeds.id"), primary_key=True, autoincrement=False),
    Column("salt", TEXT, nullable=False),
    Column("mark", TEXT, nullable=False),
    Column("run", TEXT, nullable=False),
)

# The people who are to be forgotten in every feed, by the digest of their id (hex).
FORGOTTEN = Table(
    "forgotten",
    TABLES,
    Column("digest", TEXT, primary_key=True),
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
)


@dataclass(frozen=True)
class FeedKey:
    """One feed into one target; `target` is `sandbox` or a normalised address, `feed` names the feed."""

    target: str
    feed: str


class LedgerError(Exception):
    """The ledger cannot be read or written. The run breaks off; what was recorded stays recorded.

    `place` is the file, or the server and its database, without user and password.
    """

    def __init__(self, place: str, found: str, expected: str, next_step: str) -> None:
        super().__init__(
            f"The ledger {place} cannot be used: found {found}, expected {expected}. {next_step}"
        )
        self.place = place


@contextmanager
def explained(
    place: str, errors: tuple[type[Exception], ...], next_steps: Mapping[str, str]
) -> Iterator[None]:
    """Turn `errors` of a database, and of the file system, into a `LedgerError`.

    `next_steps` are found by a word of what the database said; the last one is for everything else. Only
    what the driver said is told: SQLAlchemy's own message repeats the values, which are personal.
    """
    try:
        yield
    except errors as error:
        said = _said(error)
        next_step = next(
            (step for word, step in next_steps.items() if word in said), [*next_steps.values()][-1]
        )
        raise LedgerError(
            place, f"{said!r}", "a ledger that can be read and written", next_step
        ) from None


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    # What follows the first line may repeat the values of a row.
    return next(iter(said.splitlines()), type(error).__name__)
