"""Runs the program's commands in processes of their own, which can really be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self


class Runner:
    """Runs commands of the program in processes of their own; a context manager."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._out, self._err = folder / "stdout.txt", folder / "stderr.txt"
        self._environment = os.environ | environment
        words = [sys.executable, "-m", "tests.chaos.zygote"]
        self._zygote = subprocess.Popen(words, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:  # fmt: skip
        self._zygote.communicate(timeout=30)

    def start(self, *words: str) -> int:
        """Begin a command; give its process id."""
        assert self._zygote.stdin
        for path in (self._out, self._err):
            path.unlink(missing_ok=True)
        self._zygote.stdin.write(json.dumps([list(words), str(self._out), str(self._err)]) + "\n")
        self._zygote.stdin.flush()
        return self._answer()

    def wait(self) -> tuple[int, str, str]:
        """Wait until the command has ended; give its exit code, or minus the signal, and what it printed."""
        assert self._zygote.stdin
        self._zygote.stdin.write("\n")
        self._zygote.stdin.flush()
        code = self._answer()
        # One that was killed at birth has not even opened them.
        out, err = (path.read_text("utf-8") if path.exists() else "" for path in (self._out, self._err))
        return code, out, err

    def _answer(self) -> int:
        assert self._zygote.stdout
        return int(self._zygote.stdout.readline())
