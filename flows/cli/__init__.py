"""The command line: the entry point `main`, and the app with every command."""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module
from types import FrameType

from flows.cli.options import app
from flows.reports.output import lasting_output

__all__ = ["app", "main"]

# A module adds its commands to `app` when it is imported, so this is the order of `--help`.
for name in ("sync", "inspect", "admin"):
    import_module(f"flows.cli.{name}")

# The exit code with which click ends a command that was interrupted before `run_guarded` began.
INTERRUPTED = 130


def main() -> None:
    """Run the command line, and exit with the code of the command."""
    # Modules and frames live until the end. Looking for garbage among them would take a tenth of
    # the time of a night that sends nothing.
    gc.set_threshold(100_000)
    # SIGTERM ends a command as Ctrl-C does: the command reports how far it got.
    signal.signal(signal.SIGTERM, _interrupt)
    with lasting_output():
        try:
            app()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            if code == INTERRUPTED:
                code = 1
                print("roster: Interrupted before anything was sent; run again.", file=sys.stderr)
        else:
            code = 0
        for stream in (sys.stdout, sys.stderr):
            if stream:
                stream.flush()
    # Everything worth keeping is on disk by now. An ordinary exit would free frames and modules one
    # by one, which takes longer than many runs.
    os._exit(code)


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Call the handler of Ctrl-C that is set now. That of a running loop cancels its task."""
    handler = signal.getsignal(signal.SIGINT)
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)
