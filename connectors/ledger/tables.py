"""The ledger's tables, the key of a feed, and the ledger's error.

The tables use only what SQLite and PostgreSQL share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.exc import DBAPIError

VERSION = 6

# The columns of a frame that is read from the database.
Types = dict[str, type[pl.DataType]]

# Text in the order of its bytes, as in SQLite. A server may sort by the rules of a language, which
# takes longer.
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
    """The key of a record: rows of one feed and entity are stored and read together.

    `feed_id` is no foreign key: a server would check it for every row, which takes as long as
    writing the row.
    """
    return (
        Column("feed_id", Integer, primary_key=True, autoincrement=False),
        Column("entity", TEXT, primary_key=True),
        Column("sourced_id", TEXT, primary_key=True),
    )


# What the target has acknowledged.
RECORDS = Table(
    "records",
    TABLES,
    *_key(),
    Column("fingerprint", BigInteger, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("school", TEXT),
    Column("parents", TEXT),
    Column("label", TEXT),
    Column("fields", TEXT),  # the columns that we sent, which are ours to change
    Column("run", TEXT, nullable=False),  # the run that changed this row last
    Column("ends", TEXT),  # the last day of a record that ends, such as an enrollment
    # How feeds share the record (`transforms/ownership.py`):
    Column("turn", BigInteger),  # the feed's place in the order of the feeds that have it
    Column("items", TEXT),  # JSON: what identifies the roles and profiles that the feed has of it
    Column("yields", TEXT),  # JSON: the columns and items that the feed leaves to others
    sqlite_with_rowid=False,
)

# Records that a run was about to send, and that the target has not answered yet.
INTENTS = Table(
    "intents",
    TABLES,
    *_key(),
    Column("fingerprint", BigInteger, nullable=False),
    Column("run", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

# Each run of a feed that sends: the fields of `history.Run`. Times are ISO 8601 in UTC.
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
    Column("counts", TEXT, nullable=False),  # JSON
    Column("plan", TEXT, nullable=False),
    Column("approved", TEXT, nullable=False),
    Column("raised", TEXT, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("max_age_hours", Float),
    Column("note", TEXT, nullable=False),
    # A ledger of an earlier release gets this index and that of plans when a run opens it.
    Index("ix_runs_newest", "feed_id", "started", "id"),
)

# The run that took a feed's lock last. Whether it still holds the lock is for `lock.py` to say.
LOCKS = Table(
    "locks",
    TABLES,
    Column("feed_id", Integer, ForeignKey("feeds.id"), primary_key=True),
    Column("run", TEXT, nullable=False),
    Column("process", Integer, nullable=False),
    Column("host", TEXT, nullable=False),
    Column("since", TEXT, nullable=False),
)

# What runs held. The held changes are in `planned`, the decisions of people in `decisions`.
PLANS = Table(
    "plans",
    TABLES,
    Column("id", TEXT, primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id"), nullable=False, index=True),
    Column("run", TEXT, nullable=False),
    Column("made", TEXT, nullable=False),
    Column("expires", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("holds", TEXT, nullable=False),  # JSON
    Column("decided", TEXT),
    Column("by", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
    Index("ix_plans_status", "status"),
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

# Causes that people were notified of, so that nobody is notified twice.
TOLD = Table(
    "told",
    TABLES,
    Column("feed_id", Integer, ForeignKey("feeds.id"), primary_key=True, autoincrement=False),
    Column("cause", TEXT, primary_key=True),  # a digest
    Column("run", TEXT, nullable=False),
    Column("at", TEXT, nullable=False),  # ISO 8601 in UTC
)

# Ids that the source replaced by others. `sourced_id` is the new id.
RENAMED = Table(
    "renamed",
    TABLES,
    *_key(),
    Column("was", TEXT, nullable=False),  # the id that the target knows
    Column("run", TEXT, nullable=False),
)

# When the accepted delta row of a record was last changed in the source.
MOMENTS = Table(
    "moments",
    TABLES,
    *_key(),
    Column("moment", BigInteger, nullable=False),  # microseconds since 1970, UTC
    Column("owner", TEXT),  # of a part such as a role: the id of its record
    sqlite_with_rowid=False,
)

# The salt with which the feed's ids were made from personal data (`salts.py`).
SALTS = Table(
    "salts",
    TABLES,
    Column("feed_id", Integer, ForeignKey("feeds.id"), primary_key=True, autoincrement=False),
    Column("salt", TEXT, nullable=False),
    Column("mark", TEXT, nullable=False),  # a digest of the salt
    Column("run", TEXT, nullable=False),
)

# People who must be forgotten in every feed.
FORGOTTEN = Table(
    "forgotten",
    TABLES,
    Column("digest", TEXT, primary_key=True),  # of the person's id, in hex
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
)


@dataclass(frozen=True)
class FeedKey:
    """One feed into one target."""

    target: str  # `sandbox` or a normalized address
    feed: str  # the name of the feed


class LedgerError(Exception):
    """The ledger cannot be read or written. The run ends; what was recorded stays recorded.

    `place` is the file, or the server and its database, without user and password.
    """

    def __init__(self, place: str, found: str, expected: str, next_step: str) -> None:
        super().__init__(
            f"The ledger {place} cannot be used: found {found}, expected {expected}. {next_step}"
        )
        self.place, self.found, self.expected, self.next_step = place, found, expected, next_step


class LedgerUnreachable(LedgerError):
    """The ledger's database is away. The same call may succeed in a while."""


class LedgerNotReady(LedgerUnreachable):
    """The ledger's database answers that it starts, stops, or has too many connections."""


@contextmanager
def as_ledger_error(
    place: str,
    errors: tuple[type[Exception], ...],
    next_steps: Mapping[str, str],
    kind_of: Callable[[Exception], type[LedgerError]] = lambda _: LedgerError,
) -> Iterator[None]:
    """Turn `errors` of a database or the file system into a `LedgerError`.

    The next step is the first in `next_steps` whose key occurs in the driver's message, or the last
    one. `kind_of` chooses the class. SQLAlchemy's own message is not used: it repeats the values of
    rows, which are personal.
    """
    try:
        yield
    except errors as error:
        message = _message_of(error)
        next_step = next(
            (step for word, step in next_steps.items() if word in message),
            [*next_steps.values()][-1],
        )
        raise kind_of(error)(
            place, f"{message!r}", "a ledger that can be read and written", next_step
        ) from None


def _message_of(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    message = str(error.orig if isinstance(error, DBAPIError) else error)
    # The lines after the first may repeat the values of a row.
    return next(iter(message.splitlines()), type(error).__name__)
