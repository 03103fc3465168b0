"""Calls of a ledger are repeated while its database is away: all or nothing, as often as needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from inspect import isfunction
from typing import Any, TypeVar

from connectors.ledger.tables import LedgerError, LedgerNotReady, LedgerUnreachable
from transforms.grammar import count_of

T = TypeVar("T")
# How long a server is tried that has never answered: its address may be wrong.
FIRST_SECONDS = 1.0
# The first retry comes at once. Then the waits double, from the shortest to the longest.
SHORTEST_WAIT, LONGEST_WAIT = 0.05, 2.0
# A signal ends the wait within this time.
STEP = 0.1


class Retries:
    """How long the calls of a ledger still wait for its database, in total."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # Whether the database has ever answered.
        self._answered = False
        self._ended = False

    def end(self) -> None:
        """Wait no longer, neither now nor later. May be called by a handler of a signal."""
        self._ended = True

    def run(self, call: Callable[[], T]) -> T:
        """Call until it succeeds, or until the patience ends: then raise `LedgerError`."""
        begun, wait = time.monotonic(), 0.0
        while True:
            try:
                result = call()
            except LedgerUnreachable as error:
                self._answered |= isinstance(error, LedgerNotReady)
                waited = time.monotonic() - begun
                if self._ended or waited >= self._patience:
                    raise self._last_error(error, waited) from None
            else:
                self._answered = True
                return result
            self._pause(wait)
            wait = min(LONGEST_WAIT, 2 * wait or SHORTEST_WAIT)

    @property
    def _patience(self) -> float:
        return self._seconds if self._answered else min(self._seconds, FIRST_SECONDS)

    def _last_error(self, error: LedgerUnreachable, waited: float) -> LedgerError:
        self._ended = True
        seconds = int(waited)
        found = f"{error.found} for {count_of(seconds, 'seconds')}" if seconds else error.found
        return LedgerError(error.place, found, error.expected, error.next_step)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._ended and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, STEP))


def repeat_methods(*but: str) -> Callable[[type[T]], type[T]]:
    """Repeat each public method of a class, while the database is away, by its `retries`.

    A method must do the same again if it was carried out and only the answer was lost. `but` names
    the methods that are not repeated.
    """

    def decorate(kind: type[T]) -> type[T]:
        for name, method in list(vars(kind).items()):
            if isfunction(method) and not name.startswith("_") and name not in but:
                setattr(kind, name, _repeated(method))
        return kind

    return decorate


def _repeated(method: Callable[..., T]) -> Callable[..., T]:
    @wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> T:
        retries: Retries = self.retries
        return retries.run(lambda: method(self, *arguments, **named))

    return call
