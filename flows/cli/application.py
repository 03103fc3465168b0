"""The command line's commands hang on this; what a command needs is imported when it runs, so that `--help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

import typer

app = typer.Typer(
    name="roster",
    help="Carry a district's roster from its SIS export into a OneRoster v1.2 API, exactly.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def guarded(action: Callable[[], int], outline: Mapping[str, object] | None = None) -> None:
    """Run an action that gives an exit code; what it cannot go on for is told in a sentence, and as an object if there is an `outline`."""
    from flows.faults import told

    sys.exit(told(action, outline))
