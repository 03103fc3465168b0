"""What ends a command early, told in one readable sentence with the next step; never as a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from connectors.archive import ArchiveError
from connectors.ledger import Busy, LedgerError
from connectors.oneroster.target import TargetError
from flows.result import FAILED, USAGE
from flows.targets import SettingsError


def told(action: Callable[[], int]) -> int:
    """Give the action's exit code, or tell why there is none: 2 for settings, 1 for what may pass."""
    try:
        return action()
    except SettingsError as error:
        return _say(error, USAGE)
    except (ArchiveError, Busy, LedgerError, TargetError) as error:
        return _say(error, FAILED)
    except BrokenPipeError:
        return FAILED  # whoever read the output has gone; there is nobody to tell
    except OSError as error:
        return _say(f"{error}. Check the disk and the permissions of the state folder, and run again.", FAILED)
    except KeyboardInterrupt:
        return _say("Interrupted. What was acknowledged is recorded; run again to go on.", FAILED)


def _say(what: object, code: int) -> int:
    print(f"roster: {what}", file=sys.stderr)
    return code
