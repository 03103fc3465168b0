"""One run at a time for each feed, on one machine: a file lock, which the system takes back from a killed run.

A fleet that shares one database takes its advisory locks instead, behind the same signature.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from connectors.ledger.errors import explained
from connectors.ledger.key import FeedKey
from connectors.ledger.private import open_file


@dataclass(frozen=True)
class Holder:
    """The run that holds a feed; `since` is in UTC, ISO 8601."""

    run: str
    process: int
    host: str
    since: str


class Busy(Exception):
    """Another run holds the feed; `holder` says which, if it has told yet."""

    def __init__(self, key: FeedKey, holder: Holder | None) -> None:
        who = (
            f"run {holder.run} (process {holder.process} on {holder.host}), since {holder.since}"
            if holder
            else "a run that has just begun"
        )
        super().__init__(
            f"Feed {key.feed!r} into {key.target} is being loaded by {who}. "
            "Wait until it has ended, or stop that process, and run again."
        )
        self.holder = holder


@contextmanager
def held(folder: Path, key: FeedKey, run: str) -> Iterator[None]:
    """Hold a feed while the body runs; raise `Busy` at once if another run, or this process, holds it."""
    # Never deleted: whoever holds a deleted file would not be seen by who comes next.
    path = _path(folder, key)
    with explained(path):
        file = open_file(path)
    try:
        _take(file, path, key)
        _write(file, json.dumps(asdict(_me(run))))
        yield
    finally:
        os.close(file)


def holder(folder: Path, key: FeedKey) -> Holder | None:
    """Who holds a feed now; None if nobody does."""
    path = _path(folder, key)
    if not path.exists():
        return None
    with explained(path):
        file = open_file(path)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(file)
        finally:
            os.close(file)
    return None


def _path(folder: Path, key: FeedKey) -> Path:
    return folder / f"{sha256(json.dumps([key.target, key.feed]).encode()).hexdigest()[:32]}.lock"


def _take(file: int, path: Path, key: FeedKey) -> None:
    with explained(path):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(key, _holder(file)) from None


def _me(run: str) -> Holder:
    return Holder(run, os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds"))


def _write(file: int, text: str) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, text.encode(), 0)


def _holder(file: int) -> Holder | None:
    try:
        return Holder(**json.loads(os.pread(file, 4096, 0)))
    except (ValueError, TypeError):
        return None
