"""Runs the work of a command and shows its result; turns what the work cannot go on after into a sentence and an exit code."""

from __future__ import annotations

# What a command needs is imported when it runs, so that `roster --help` answers at once.
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NoReturn, Protocol, TypeVar


class CommandResult(Protocol):
    """What a command came to. Each command has a value of its own; all have an exit code."""

    @property
    def exit_code(self) -> int:
        """The contract's exit code."""


R = TypeVar("R", bound=CommandResult)


def run_guarded(
    work: Callable[[], R],
    show: Callable[[R], None] | None = None,
    outline: Mapping[str, object] | None = None,
) -> NoReturn:
    """Do the work of a command, show what came of it, and exit with its code.

    Args:
        work: Does all that the command is for, and prints nothing but progress.
        show: Prints the result. If nobody reads it any more, the command still came to what it came to.
        outline: What is known of the object for programs while there is no result. It is read when the work breaks off.
            None if nobody asked for an object.
    """
    from flows.errors import FAULTS
    from flows.result import FAILED

    try:
        result = work()
        if show is not None:
            with suppress(BrokenPipeError):
                show(result)
    except BrokenPipeError:
        sys.exit(FAILED)  # whoever read the progress has gone; there is nobody to tell
    except FAULTS as error:
        exit_with_error(error, outline)
    except KeyboardInterrupt:
        _exit(
            "Interrupted. What was acknowledged is recorded; run again to go on.", FAILED, outline
        )
    sys.exit(result.exit_code)


def exit_with_error(error: Exception, outline: Mapping[str, object] | None = None) -> NoReturn:
    """Say why a command cannot go on, and exit: with 2 for settings that cannot be meant, else with 1."""
    from flows.errors import SettingsError, error_sentence
    from flows.reports.screen import print_line
    from flows.result import FAILED, USAGE

    for note in getattr(error, "__notes__", ()):
        print_line(f"roster: {note}", error=True)
    # Values that cannot be meant, such as an address without encryption, are a ValueError too.
    code = USAGE if isinstance(error, SettingsError | ValueError) else FAILED
    _exit(error_sentence(error), code, outline)


def _exit(sentence: str, code: int, outline: Mapping[str, object] | None) -> NoReturn:
    from flows.reports.screen import print_json, print_line

    print_line(f"roster: {sentence}", error=True)
    if outline is not None:
        with suppress(BrokenPipeError):
            print_json({**outline, "status": "failed", "reason": sentence})
    sys.exit(code)
