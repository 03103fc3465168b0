"""A Prefect process that outlives the command that started it: the server or the worker of a state folder.

Prefect has no such thing for workers, and its own for servers (`prefect server start --background`, `prefect server stop`;
Prefect 3.8.8) does not keep what `make server` and `make stop` promise:

- A server that cannot start says so. Prefect's writes to pipes that nobody reads, so that what it says is lost.
- A server that was killed, or ended with the machine, starts again. Prefect's refuses, for its file of the number is still there.
- Only what we started is ended. `prefect server stop` signals whatever process has the number by now.
- When `make stop` returns, the port is free. `prefect server stop` does not wait.
- The log and the database are for their owner only, and no signal of the terminal reaches the server. Prefect's stays in the
  session of the command, and makes files as that was told to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from connectors.private_files import make_private_file, write_private

PATIENCE_SECONDS, LOOK_SECONDS = 30.0, 0.2


class DaemonError(Exception):
    """A process that could not be started, told in a sentence with the next step."""


@dataclass(frozen=True)
class Daemon:
    """`prefect NAME`, with a `folder` that keeps its number and its log."""

    name: str
    folder: Path
    environment: Mapping[str, str]

    @property
    def log(self) -> Path:
        """What it has printed."""
        return self.folder / f"{self.name}.log"

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return bool(self.command)

    @property
    def command(self) -> str:
        """The command line as which it runs; blank if it does not. A number that another program has by now is none of ours."""
        number = self.number
        found = "" if number is None else _command(number)
        return found if f"prefect {self.name} " in found else ""

    def start(self, command: Sequence[str]) -> None:
        """Start it in a session of its own, so that it hears no Ctrl-C of this terminal; its files are its owner's only."""
        make_private_file(self.log)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                start_new_session=True,
                umask=0o077,
            )
        write_private(self._file, str(process.pid))

    def stop(self) -> bool:
        """End it: politely, then for good. Says whether it ran."""
        number = self.number
        ran = self.runs
        if ran and number is not None:
            self._signal(number, signal.SIGTERM)
            until = time.monotonic() + PATIENCE_SECONDS
            while self.runs and time.monotonic() < until:
                time.sleep(LOOK_SECONDS)
            self._signal(number, signal.SIGKILL)
        self._file.unlink(missing_ok=True)
        return ran

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def number(self) -> int | None:
        """The number under which it was started; None if it was not, or was stopped."""
        try:
            return int(self._file.read_text())
        except (OSError, ValueError):
            return None

    def _signal(self, number: int, one: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(number, one)


def end_children(daemon: Daemon) -> None:
    """Ask what a process has started to end, and wait for it: the flow runs of a worker are in no group of its."""
    number = daemon.number
    children = [] if number is None or not daemon.runs else _children(number)
    for child in children:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGTERM)
    until = time.monotonic() + PATIENCE_SECONDS
    while any(map(_command, children)) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


def _children(number: int) -> list[int]:
    told = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False
    )
    pairs = (line.split() for line in told.stdout.splitlines())
    return [int(child) for child, parent in pairs if parent == str(number)]


def _command(number: int) -> str:
    """The command line of a process; blank if it has ended."""
    with suppress(ChildProcessError):
        os.waitpid(
            number, os.WNOHANG
        )  # one that this very process had started, and that has ended, goes
    # Twice `w`, without which the ps of macOS cuts lines short.
    told = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(number)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if "defunct" in told.stdout else told.stdout
