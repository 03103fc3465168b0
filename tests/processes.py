"""Real processes for tests that stop, kill or starve them, forked in a tenth of a second.

A new Python process needs more than a second to import the program. Python's fork server imports it
once, before any library has started a thread, and forks for each process. Only tests of the
start-up itself start a new Python.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from flows.cli import main

# The modules that a run of the program imports, at the start or later.
PRELOADED = ["flows.send", "flows.feeds.feed", "connectors.oneroster.sandbox", "tests.processes"]
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Finished:
    """How a process ended, and what it printed."""

    code: int  # if negative, the signal that ended it
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object on the last line of standard output; empty if it printed nothing."""
        answer: dict[str, Any] = (
            json.loads(self.out.strip().splitlines()[-1]) if self.out.strip() else {}
        )
        return answer


class Process:
    """A process that calls a function. Its standard output and error are files in a folder."""

    def __init__(
        self,
        folder: Path,
        call: Callable[..., object],
        *arguments: Any,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.out, self.err = folder / "stdout.txt", folder / "stderr.txt"
        for path in (self.out, self.err):
            path.unlink(missing_ok=True)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        variables = dict(os.environ if environment is None else environment)
        place = str(cwd or Path.cwd())
        self._process: BaseProcess = context.Process(
            target=_run,
            args=(str(self.out), str(self.err), variables, place, call, arguments),
            daemon=True,
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Its pid."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it is still running."""
        return self._process.exitcode is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> Finished:
        """Wait until it has ended; kill it, and fail, if that takes too long."""
        self._process.join(PATIENCE_SECONDS)
        code = self._process.exitcode
        if code is None:
            self.send(signal.SIGKILL)
        assert code is not None, (
            f"it still ran after {PATIENCE_SECONDS:.0f} s, and had said {self.said!r}"
        )
        return Finished(code, _text(self.out), _text(self.err))

    def wait_for(self, word: str) -> None:
        """Wait until it has printed a word; fail if it ends without it, or takes too long."""
        until = time.monotonic() + PATIENCE_SECONDS
        while word not in self.said:
            assert self.runs, f"it ended without {word!r}, and said {self.said!r}"
            assert time.monotonic() < until, f"it never said {word!r}, but {self.said!r}"
            time.sleep(0.002)

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return _text(self.out) + _text(self.err)


def roster(
    folder: Path,
    *words: str | Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Process:
    """Start a command of the program. Its output goes to files in `folder`."""
    return Process(folder, _command, *map(str, words), environment=environment, cwd=cwd)


def _command(*words: str) -> None:
    sys.argv = ["roster", *words]
    main()


def _run(
    out: str,
    err: str,
    environment: dict[str, str],
    cwd: str,
    call: Callable[..., object],
    arguments: tuple[Any, ...],
) -> None:
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    # As in a foreground process of a shell, even if the tests themselves run in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    call(*arguments)


def _text(path: Path) -> str:
    # A process that was killed at once has not created its files.
    return path.read_text("utf-8") if path.exists() else ""
