"""Why the ledger cannot be used, in one readable sentence with the next step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adbc_driver_manager import Error as AdbcError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

# What SQLite says, and what to do about it.
NEXT_STEPS = {
    "locked": "Another process has been writing to it for too long. Wait until it has ended, and run again.",
    "full": "Free some space on its disk, and run again; what was recorded before is safe.",
    "readonly": "Let this user write to it and to its folder, and run again.",
    "not a database": "It is damaged, or another program's file. Restore it from a copy, or use another state folder.",
    "malformed": "It is damaged. Restore it from a copy, or use another state folder.",
}
OTHERWISE = "Check its disk, its permissions and its folder, and run again."


class LedgerError(Exception):
    """The ledger cannot be read or written. The run breaks off; what was recorded stays recorded."""

    def __init__(self, path: Path, found: str, expected: str, next_step: str) -> None:
        super().__init__(f"The ledger {path} cannot be used: found {found}, expected {expected}. {next_step}")
        self.path = path


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn whatever the database and the file system raise into a `LedgerError`.

    Only what the driver said is told: SQLAlchemy's own message repeats the values, which are personal.
    """
    try:
        yield
    except (SQLAlchemyError, AdbcError, OSError) as error:
        said = _said(error)
        next_step = next((step for word, step in NEXT_STEPS.items() if word in said), OTHERWISE)
        raise LedgerError(path, f"{said!r}", "a ledger that can be read and written", next_step) from None


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    said = error.orig if isinstance(error, DBAPIError) else error
    lines = str(said).splitlines()
    return lines[0] if lines else type(error).__name__
