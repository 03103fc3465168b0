"""The Prefect server or worker of a state folder, as a background process with a pid file.

Prefect can run a server in the background, but not a worker. What it offers for servers (`prefect
server start --background`, `prefect server stop`; Prefect 3.8.8) does not keep the promises of
`make server` and `make stop`:

- A server that cannot start says why. Prefect's output is lost, since it goes to pipes that nobody
  reads.
- A server that was killed, or ended with the machine, starts again. Prefect refuses to start it,
  since its pid file still exists.
- `make stop` ends only what we started. `prefect server stop` signals any process that has the pid
  by now.
- When `make stop` returns, the port is free. `prefect server stop` does not wait.
- Log and database are readable by their owner only, and no signal of the terminal reaches the
  server. Prefect's server stays in the session of the command, and uses its umask.
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
    """A process cannot be started or used. The message ends with the next step."""


@dataclass(frozen=True)
class Daemon:
    """The process `prefect NAME`."""

    name: str  # `server` or `worker`
    folder: Path  # has its pid file and its log
    environment: Mapping[str, str]

    @property
    def log(self) -> Path:
        """The file that has its output."""
        return self.folder / f"{self.name}.log"

    @property
    def runs(self) -> bool:
        """Whether it is running."""
        return bool(self.command)

    @property
    def command(self) -> str:
        """Its command line; blank if it is not running, or if another program has its pid now."""
        number = self.number
        command = "" if number is None else _command(number)
        return command if f"prefect {self.name} " in command else ""

    @property
    def number(self) -> int | None:
        """Its pid; None if it was never started, or was stopped."""
        try:
            return int(self._file.read_text())
        except (OSError, ValueError):
            return None

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def start(self, command: Sequence[str]) -> None:
        """Start the process. Only its owner can read its files.

        It gets a session of its own, so that Ctrl-C in this terminal does not reach it.
        """
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
        """Terminate the process, and kill it if it does not end in time. Return whether it ran."""
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

    def _signal(self, number: int, one: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(number, one)


def stop_children(daemon: Daemon) -> None:
    """Terminate the child processes of a daemon, and wait for them.

    The flow runs of a worker are not in its process group, so no signal to the group reaches them.
    """
    number = daemon.number
    children = [] if number is None or not daemon.runs else _children(number)
    for child in children:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGTERM)
    until = time.monotonic() + PATIENCE_SECONDS
    while any(map(_command, children)) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


def _children(number: int) -> list[int]:
    processes = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False
    )
    pairs = (line.split() for line in processes.stdout.splitlines())
    return [int(child) for child, parent in pairs if parent == str(number)]


def _command(number: int) -> str:
    """Return the command line of a process; blank if it has ended."""
    # A child of this process that has ended is a zombie until this process waits for it.
    with suppress(ChildProcessError):
        os.waitpid(number, os.WNOHANG)
    # Without the second `w`, the ps of macOS cuts lines short.
    process = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(number)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if "defunct" in process.stdout else process.stdout
