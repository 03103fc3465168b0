"""The files that a command writes: their modes, and what they say."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tests.golden.text import against, lines

# The ledger is recorded by its rows, and records in the archive by the names of their files, which are digests of what they hold.
# What SQLite keeps beside the ledger while it is open is not the program's.
ELSEWHERE = ".db"
OF_SQLITE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Seen:
    """A file or folder: its mode and its content as lines; `version` tells whether it must be read again."""

    mode: str
    content: tuple[str, ...] = ()
    version: tuple[int, ...] = field(default=(), compare=False)


@dataclass
class Files:
    """Files and folders below some folders, as they were seen last. `mask` masks a line.

    `latest` is the content that was seen last in a file of a kind: a report is shown as what differs from the report before.
    """

    folders: tuple[Path, ...]
    mask: Callable[[str], str]
    seen: dict[Path, Seen] = field(default_factory=dict)
    latest: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def changes(self) -> Iterator[str]:
        """Say which files are new or changed since the last time, with their content, and which were deleted."""
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
    """Name what a file is: files of one kind differ little from run to run. Manifests of the archive have names of their own."""
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
            yield f"{stat.filemode(member.external_attr >> 16)} {member.filename} {'-'.join(map(str, member.date_time[:3]))}"
            yield from (f"  {line}" for line in lines(archive.read(member).decode()))
