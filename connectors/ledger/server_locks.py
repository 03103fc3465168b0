"""Locks on a PostgreSQL server that hold everywhere, also behind a connection pooler.

A pooler that hands out the server's connections by transaction gives a lock that belongs to a
connection to several programs. It cannot do so with a lock that belongs to a transaction, because
it keeps an open transaction on one connection. So all locks of a ledger are in one transaction,
which stays open until the last lock is released. It reads no table and writes nothing, and thus
does not hold back what the server cleans up.

If that transaction ends too early, its locks are free for others. Before each write, the server is
asked whether it still has the token, a lock with a number that no other transaction has.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from threading import RLock

import psycopg
from psycopg.sql import SQL, Literal
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, text

from connectors.ledger.tables import LedgerError, LedgerUnreachable

# `pg_locks` has the 64 bits of a lock's number in two halves.
TAKEN = text("""SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND mode = 'ExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = ANY(:numbers)""").bindparams(
    bindparam("numbers", type_=ARRAY(BigInteger))
)
IsOurs = Callable[[Connection], bool]
LOST = "the connection lost that kept other runs away"
TAKEN_SINCE = f"{LOST}, and another run at work on the feed since"
EXPECTED = "it open until the run ends"
AGAIN = "Run again: what was recorded before is safe."


class ServerLocks:
    """The locks that are held through one ledger. `connect` makes a connection for them alone."""

    def __init__(self, place: str, connect: Callable[[], psycopg.Connection]) -> None:
        self._place = place
        self._connect = connect
        self._connection: psycopg.Connection | None = None
        self._turn = RLock()
        self._token = 0
        # By the number of each lock, whether nobody else has held it; None: not known yet.
        self._held: dict[int, IsOurs | None] = {}

    def take(self, number: int) -> bool:
        """Try to hold a lock; return whether it was free."""
        with self._turn:
            if number in self._held:
                return False
            try:
                taken = self._try(number)
            except psycopg.Error:
                self._close()
                raise
            if taken:
                self._held[number] = None
            elif not self._held:
                self._close()
            return taken

    def release(self, number: int) -> None:
        """Release a lock. Until the last one is released, others still find it taken."""
        with self._turn:
            del self._held[number]
            if not self._held:
                self._close()

    def retake(self, number: int, is_ours: IsOurs) -> None:
        """From now on, take a lock back that was lost, if `is_ours`: nobody else had it since."""
        with self._turn:
            self._held[number] = is_ours

    def are_held(self) -> bool:
        """Ask on the locks' own connection whether they are held; true if there are none."""
        with self._turn:
            if not self._held:
                return True
            try:
                return self._connection is not None and bool(self._connection.execute("SELECT 1"))
            except psycopg.Error:
                return False

    def check(self, connection: Connection) -> None:
        """Before a write with a connection: take back what was lost.

        Raises `LedgerError` if another run has had one of the locks since, and `LedgerUnreachable`
        if nobody knows yet.
        """
        with self._turn:
            if not self._held or self._has_token(connection):
                return
            self._close()
            taken = all(self._try(number) for number in self._held)
            for is_ours in self._held.values():
                if is_ours and not is_ours(connection):
                    self._close()
                    raise LedgerError(self._place, TAKEN_SINCE, EXPECTED, AGAIN)
            # The server may not have noticed yet that our former connection is gone, or whoever
            # holds the lock has not said its name yet. Or the write goes to another server.
            if not (taken and all(self._held.values()) and self._has_token(connection)):
                self._close()
                raise LedgerUnreachable(self._place, LOST, EXPECTED, AGAIN)

    def _has_token(self, connection: Connection) -> bool:
        return self._connection is not None and bool(taken_among(connection, [self._token]))

    def _try(self, number: int) -> bool:
        if self._connection is None:
            self._connection, self._token = self._connect(), secrets.randbits(63)
            _lock(self._connection, self._token)
        return _lock(self._connection, number)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                # Of a transaction that is still open, a pooler would close the server's connection.
                connection.rollback()
            connection.close()


def _lock(connection: psycopg.Connection, number: int) -> bool:
    # A statement with parameters would keep its snapshot until the next one.
    statement = SQL("SELECT pg_try_advisory_xact_lock({})").format(Literal(number))
    row = connection.execute(statement).fetchone()
    return row is not None and bool(row[0])


def taken_among(connection: Connection, numbers: Collection[int]) -> frozenset[int]:
    """Return which of some locks anybody holds."""
    return frozenset(connection.execute(TAKEN, {"numbers": [*numbers]}).scalars())
