"""The files that a command writes: their modes and their content."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tests.golden.text import against, lines

# The ledger is recorded by its rows. Parquet files of the archive are recorded by their names,
# which are digests of the content. SQLite's own files beside the open ledger are left out.
ELSEWHERE = ".db"
OF_SQLITE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Seen:
    """A file or folder as it was at one time."""

    mode: str
    content: tuple[str, ...] = ()  # as lines
    # Inode, size and time of change: if they are the same, the file is not read again.
    version: tuple[int, ...] = field(default=(), compare=False)


@dataclass
class Files:
    """The files and folders below some folders, as they were the last time."""

    folders: tuple[Path, ...]
    mask: Callable[[str], str]  # masks a line
    seen: dict[Path, Seen] = field(default_factory=dict)
    # The last content of each kind of file: a report is shown by its difference from the last one.
    latest: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def changes(self) -> Iterator[str]:
        """Yield what is deleted, new or changed since the last time, with the content."""
        before = self.seen
        self.seen = {path: self._look(path, before.get(path)) for path in self._paths()}
        yield from (f"deleted {path}" for path in sorted(before.keys() - self.seen.keys()))
        for path, now in self.seen.items():
            if now != before.get(path):
                yield f"{now.mode} {path}"
                old = before[path].content if path in before else self.latest.get(_kind(path), ())
                yield from (f"  {line}" for line in against(old, now.content))
                self.latest[_kind(path)] = now.content

    def _paths(self) -> list[Path]:
        paths = (path for folder in self.folders for path in sorted(folder.rglob("*")))
        return [path for path in paths if not path.name.endswith(OF_SQLITE)]

    def _look(self, path: Path, before: Seen | None) -> Seen:
        status = path.stat()
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        if path.is_dir():
            content: tuple[str, ...] = ()
        elif before and before.version == version:
            content = before.content
        else:
            content = tuple(map(self.mask, _content(path)))
        return Seen(stat.filemode(status.st_mode), content, version)


def _kind(path: Path) -> str:
    """Return the kind of a file. Files of the same kind differ little from run to run.

    Each manifest of the archive has another name, so all `.json` files are one kind.
    """
    return path.suffix if path.suffix == ".json" else path.name


def _content(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        yield f"{pl.scan_parquet(path).select(pl.len()).collect().item()} rows"
    elif path.suffix == ".zip":
        yield from _members(path)
    elif path.suffix != ELSEWHERE:
        yield from lines(path.read_bytes().decode())


def _members(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            yield (
                f"{stat.filemode(member.external_attr >> 16)} {member.filename} "
                f"{'-'.join(map(str, member.date_time[:3]))}"
            )
            yield from (f"  {line}" for line in lines(archive.read(member).decode()))
