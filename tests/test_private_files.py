"""Files and folders with personal data: for their owner only, and complete or not there at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import pytest

from connectors.private_files import (
    make_private_file,
    open_private_file,
    write_atomically,
    write_private,
)


def mode(path: Path) -> int:
    """Return the permissions of a file or folder."""
    return path.stat().st_mode & 0o777


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_text_is_written_as_it_is_for_its_owner_only(tmp_path: Path) -> None:
    """Missing folders are created, line breaks are kept, and a longer text is replaced."""
    path = tmp_path / "runs" / "1" / "report.md"
    write_private(path, "a longer text\n")
    path.chmod(0o644)
    write_private(path, "Zoë\r\n")

    assert "Zoë\r\n".encode() == path.read_bytes()
    assert (0o600, 0o700, 0o700) == (mode(path), mode(path.parent), mode(path.parent.parent))
    assert ["report.md"] == names(path.parent)


def test_a_file_that_could_not_be_written_is_as_it_was(tmp_path: Path) -> None:
    """No unfinished file is left, and one that a killed process left does no harm."""
    path = tmp_path / "roster.parquet"
    write_private(path, "before")
    (tmp_path / "roster.parquet.part").write_text("of a killed process")

    def fill_the_disk(file: IO[bytes]) -> None:
        file.write(b"half of")
        raise OSError(28, os.strerror(28))

    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, fill_the_disk)

    assert "before" == path.read_text()
    assert ["roster.parquet"] == names(tmp_path)


def test_a_file_that_exists_is_closed_to_others_and_keeps_its_content(tmp_path: Path) -> None:
    """A database or a lock file may have been created by hand."""
    database, lock = tmp_path / "sandbox.db", tmp_path / "locks" / "1.lock"
    database.write_text("tables")
    database.chmod(0o644)
    make_private_file(database)
    make_private_file(lock)
    lock.chmod(0o644)
    os.close(open_private_file(lock))

    assert "tables" == database.read_text()
    assert (0o600, 0o600, 0o700) == (mode(database), mode(lock), mode(lock.parent))
