"""The errors that end a command or a flow with a message, and the sentence of each."""

from __future__ import annotations

from connectors.ledger import Busy, LedgerError
from connectors.oneroster.target import TargetError
from connectors.roster_archive import ArchiveError
from flows.errors import SettingsError
from flows.safe_text import public_text

# The errors that end a command or a flow with a message. Any other exception is a bug.
REPORTED_ERRORS = (ArchiveError, Busy, LedgerError, OSError, SettingsError, TargetError)
ERRORS_WITH_MESSAGES = (ArchiveError, Busy, LedgerError)


def error_sentence(error: Exception) -> str:
    """Return a sentence that says what went wrong, and what to do next."""
    if (
        isinstance(error, OSError)
        and error.errno is not None
        and not isinstance(error, ERRORS_WITH_MESSAGES)
    ):
        return f"{error}. Check the disk and the permissions of the state folder, and run again."
    return public_text(str(error))
