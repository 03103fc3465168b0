"""Where the ledger is: in the state folder, or where `$ROSTER_LEDGER` says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.ledger import ADDRESS, address_fault, with_sslmode
from flows.errors import SettingsError

VARIABLE, FILE = "ROSTER_LEDGER", "ledger.db"
# PostgreSQL's own variable, which applies if the address does not set the mode.
MODE = "PGSSLMODE"


def ledger_location(state: Path, environment: Mapping[str, str]) -> Path | str:
    """Return the ledger's file, or its address on a server.

    Raises `SettingsError` if the address is invalid.
    """
    return ledger_address(environment) or state / FILE


def ledger_address(environment: Mapping[str, str]) -> str:
    """Return the ledger's address, which contains a password; blank if the ledger is a file."""
    address = environment.get(VARIABLE, "").strip()
    if address and (fault := address_fault(address)):
        # The message does not quote the value: it may be the password.
        raise SettingsError(
            f"${VARIABLE} {fault}. Expected {ADDRESS}; unset it to keep the ledger in the state "
            "folder."
        )
    mode = environment.get(MODE, "")
    return with_sslmode(address, mode) if address and mode else address
