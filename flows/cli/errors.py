"""How a command ends: with its result or with an error, each shown and turned into an exit code."""

from __future__ import annotations

# Errors and reports are imported when a command ends, so that `roster --help` answers at once.
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn, Protocol, TypeVar


class CommandResult(Protocol):
    """The result of a command. Each command has a class of its own, and all have an exit code."""

    @property
    def exit_code(self) -> int:
        """The contract's exit code."""


R = TypeVar("R", bound=CommandResult)


def run_guarded(
    work: Callable[[], R],
    show: Callable[[R], None] | None = None,
    outline: Mapping[str, object] | None = None,
) -> NoReturn:
    """Do the work of a command, show its result, and exit with the result's code.

    Args:
        work: Does everything that the command is for, and prints nothing but progress.
        show: Prints the result. If nobody reads the output anymore, the exit code is the same (see
            `flows/reports/output.py`).
        outline: The keys of the `--json` object that are known before there is a result. It is
            read when the work ends with an error. None without `--json`.
    """
    from flows.reported_errors import REPORTED_ERRORS
    from flows.result import FAILED

    try:
        result = work()
        if show is not None:
            show(result)
    except REPORTED_ERRORS as error:
        exit_with_error(error, outline)
    except KeyboardInterrupt:
        _exit(
            "Interrupted. What was acknowledged is recorded; run again to go on.", FAILED, outline
        )
    sys.exit(result.exit_code)


def exit_with_error(error: Exception, outline: Mapping[str, object] | None = None) -> NoReturn:
    """Print why a command cannot continue, and exit: with 2 for wrong settings, else with 1."""
    from flows.errors import SettingsError
    from flows.reported_errors import error_sentence
    from flows.reports.screen import print_line
    from flows.result import FAILED, USAGE

    for note in getattr(error, "__notes__", ()):
        print_line(f"roster: {note}", error=True)
    # A wrong value deeper down, such as an address without encryption, is a ValueError.
    code = USAGE if isinstance(error, SettingsError | ValueError) else FAILED
    _exit(error_sentence(error), code, outline)


def _exit(sentence: str, code: int, outline: Mapping[str, object] | None) -> NoReturn:
    from flows.reports.screen import print_json, print_line

    print_line(f"roster: {sentence}", error=True)
    if outline is not None:
        print_json({**outline, "status": "failed", "reason": sentence})
    sys.exit(code)
