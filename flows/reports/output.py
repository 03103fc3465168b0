"""Output that nobody has to read: a run goes on if its reader is gone, or the disk is full.

Python raises an error where output cannot be written, and rich ends the process. A night that
loads a district must not end because a terminal was closed, a pager was left, or the worker that
collects its log was killed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console


class LastingStream:
    """A text stream that is quietly redirected to nowhere once it cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, as long as that is possible."""
        with self._redirecting():
            return self._stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines, as long as that is possible."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Pass on what was written, as long as that is possible."""
        with self._redirecting():
            self._stream.flush()

    @contextmanager
    def _redirecting(self) -> Iterator[None]:
        try:
            yield
        except OSError:  # nobody reads it, or no space is left
            redirect_to_nowhere(self._stream)
        except ValueError:
            if not self._stream.closed:
                raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def redirect_to_nowhere(stream: TextIO) -> None:
    """Let a stream lead to nowhere, also for whatever else in this process writes to it."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def lasting_output() -> Iterator[None]:
    """Let standard output and standard error outlast their readers until the body ends."""
    before = sys.stdout, sys.stderr
    # They are None if the process was started without them; then nothing is printed anyway.
    sys.stdout, sys.stderr = (cast("TextIO", stream and LastingStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def outlast_readers_of_consoles() -> None:
    """Let each console of rich outlast its reader, such as that of Prefect's log."""
    # The command line needs rich only once it prints something.
    from rich.console import Console

    Console.on_broken_pipe = _go_on  # type: ignore[assignment,method-assign]


def _go_on(console: Console) -> None:
    redirect_to_nowhere(cast("TextIO", console.file))
