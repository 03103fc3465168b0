"""The command line: every command, and what it does when it is interrupted."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from types import FrameType

from flows.cli.options import app

__all__ = ["app", "main"]

# Commands hang on `app` in the order in which their modules are imported, which is that of `--help`.
for name in ("sync", "inspect", "admin"):
    import_module(f"flows.cli.{name}")

# What the command line's library makes of an interruption that nobody has told of yet.
INTERRUPTED = 130


def _interrupted(_number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C would do now: a loop that runs ends its task in good order, and not in the middle of a step of its own."""
    handler = signal.getsignal(signal.SIGINT)
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)


def main() -> None:
    """Run the command line."""
    # Modules and frames live until the end: looking for garbage among them takes a tenth of a night that sends nothing.
    gc.set_threshold(100_000)
    # Whoever ends a command politely is told how far it came, as with Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if code == INTERRUPTED:
            code = 1
            sys.stderr.write("roster: Interrupted before anything was sent; run again.\n")
    else:
        code = 0
    # What is to be kept is on the disk by now; taking frames and modules apart one by one would take longer than many a run.
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
