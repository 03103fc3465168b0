"""Why the archive cannot be used, in one readable sentence with the next step."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, EIO, ENOSPC
from pathlib import Path

import polars as pl

FULL = (ENOSPC, EDQUOT, EFBIG)
# How polars tells what the system said while it wrote.
NUMBER = re.compile(r"os error (\d+)")


class ArchiveError(Exception):
    """A roster cannot be written to the archive, or read from it."""

    def __init__(self, path: Path, found: str, expected: str, next_step: str) -> None:
        super().__init__(f"The archived roster {path} cannot be used: found {found}, expected {expected}. {next_step}")
        self.path = path


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system raises on writing into an `ArchiveError`."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        number = _number(error)
        next_step = "Free some space on its disk" if number in FULL else "Let this user write there"
        found = repr(os.strerror(number))
        raise ArchiveError(path, found, "a place to write to", f"{next_step}, and run again.") from None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a file that is damaged, gone or not ours to read raises into an `ArchiveError`."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        found = "no file" if isinstance(error, FileNotFoundError) else "a file that cannot be read"
        next_step = "Restore it from a copy, or delete its folder: the next full drop begins a new one."
        raise ArchiveError(path, found, "a roster as it was written", next_step) from None


def _number(error: Exception) -> int:
    """The system's number of an error, also from polars' sentence; 5 (input or output) if none is told."""
    found = NUMBER.search(str(error))
    told = error.errno if isinstance(error, OSError) else found and int(found[1])
    return told or EIO
