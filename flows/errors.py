"""What ends a command or a flow early, and how that is said in one readable sentence."""

from __future__ import annotations

from connectors.ledger import Busy, LedgerError
from connectors.oneroster.target import TargetError
from connectors.roster_archive import ArchiveError
from flows.safe_text import public_text


class SettingsError(Exception):
    """Settings or options that cannot be meant: one readable sentence for each of the `problems`."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


# What a command or a flow cannot go on after. Anything else is a fault of this program.
FAULTS = (ArchiveError, Busy, LedgerError, OSError, SettingsError, TargetError)
OURS = (ArchiveError, Busy, LedgerError)


def error_sentence(error: Exception) -> str:
    """Say what went wrong, and what to do next."""
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, OURS):
        return f"{error}. Check the disk and the permissions of the state folder, and run again."
    return public_text(str(error))
