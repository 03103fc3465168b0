"""A process that has imported the program and forks for each run, so that a real run can really be killed, in no time.

It is forked before any of its libraries has started a thread. One JSON line in is one run, and its process
id comes out; a blank line waits for it, and its exit code comes out (negative: the signal that ended it).
Until then its process id is its own, so that it can be killed whether it still runs or not.
"""

from __future__ import annotations

import json
import os
import sys

# What a run imports only when it needs it, so that a fork has it already.
from flows.cli import main


def serve() -> None:
    """Run what the lines of standard input say, one after the other."""
    while line := sys.stdin.readline():
        words, out, err = json.loads(line)
        child = os.fork()
        if not child:
            _run(words, out, err)
        _say(child)
        sys.stdin.readline()
        _say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _run(words: list[str], out: str, err: str) -> None:
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv = ["roster", *words]
    main()


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
