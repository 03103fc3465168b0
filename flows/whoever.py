"""Who runs this, for the ledger, where nobody has said."""

from __future__ import annotations

import getpass
import os


def whoever() -> str:
    """The name of the user; the number of one without a name, as containers have them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
