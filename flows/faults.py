"""What ends a command or a flow early, told in one readable sentence with the next step; never as a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress

from connectors.archive import ArchiveError
from connectors.ledger import Busy, LedgerError
from connectors.oneroster.target import TargetError
from flows.errors import SettingsError
from flows.result import FAILED, USAGE
from flows.showing import shown, tell

FAULTS = (ArchiveError, Busy, LedgerError, OSError, SettingsError, TargetError)


def told(action: Callable[[], int], outline: Mapping[str, object] | None = None) -> int:
    """Give the action's exit code, or tell why there is none: 2 for settings, 1 for what may pass.

    `outline` is what the object has that is printed for programs, as far as it is known by then; None if nobody wants one.
    """
    try:
        return action()
    except BrokenPipeError:
        return FAILED  # whoever read the output has gone; there is nobody to tell
    except FAULTS as error:
        # What nobody can mean, such as an address without encryption, is a ValueError too.
        return _say(sentence(error), USAGE if isinstance(error, SettingsError | ValueError) else FAILED, outline)
    except KeyboardInterrupt:
        return _say("Interrupted. What was acknowledged is recorded; run again to go on.", FAILED, outline)


def sentence(error: Exception) -> str:
    """Say what went wrong, and what to do next."""
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, FAULTS[:3]):
        return f"{error}. Check the disk and the permissions of the state folder, and run again."
    return shown(str(error))


def _say(what: str, code: int, outline: Mapping[str, object] | None) -> int:
    tell(f"roster: {what}", error=True)
    if outline is not None:
        with suppress(BrokenPipeError):
            print(json.dumps({**outline, "status": "failed", "reason": what}), flush=True)
    return code
