"""Why the ledger cannot be used, in one readable sentence with the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError


class LedgerError(Exception):
    """The ledger cannot be read or written. The run breaks off; what was recorded stays recorded.

    `place` is the file, or the server and its database, without user and password.
    """

    def __init__(self, place: str, found: str, expected: str, next_step: str) -> None:
        super().__init__(f"The ledger {place} cannot be used: found {found}, expected {expected}. {next_step}")
        self.place = place


@contextmanager
def explained(place: str, errors: tuple[type[Exception], ...], next_steps: Mapping[str, str]) -> Iterator[None]:
    """Turn `errors` of a database, and of the file system, into a `LedgerError`.

    `next_steps` are found by a word of what the database said; the last one is for everything else. Only
    what the driver said is told: SQLAlchemy's own message repeats the values, which are personal.
    """
    try:
        yield
    except errors as error:
        said = _said(error)
        next_step = next((step for word, step in next_steps.items() if word in said), [*next_steps.values()][-1])
        raise LedgerError(place, f"{said!r}", "a ledger that can be read and written", next_step) from None


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    # What follows the first line may repeat the values of a row.
    return next(iter(said.splitlines()), type(error).__name__)
