"""A drop, or a folder of drops, at an address: list it, and fetch a copy to this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from posixpath import basename, dirname
from typing import Any

from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from connectors.drops.members import is_noise
from connectors.fetch.addresses import Access, FetchError, as_fetch_error
from connectors.fetch.filesystems import open_filesystem
from transforms.grammar import count_of

FOLDER, FILE, LINK = "directory", "file", "link"
# The names under which file systems report when a file was changed: SFTP and this machine, S3,
# HTTP, Microsoft, Google, memory.
CHANGED_KEYS = ("mtime", "LastModified", "Last-Modified", "last_modified", "updated", "created")
VERSION_KEYS = ("ETag", "etag")


class DropStore:
    """A folder of drops at an address or on this machine. Raises `FetchError`."""

    def __init__(self, address: str, access: Access | None = None) -> None:
        self.address = address
        with as_fetch_error(address):
            self._system, path = open_filesystem(address, access or Access())
            if not self._system.isdir(path):
                raise FileNotFoundError(f"no folder {path}")
            self._path = path.rstrip("/")
            self.entries: dict[str, RemoteFile] = list_folder(self._system, path)

    @property
    def names(self) -> list[str]:
        """The names of the files and folders, in order, except what an operating system left."""
        return sorted(self.entries)

    @property
    def drops(self) -> list[str]:
        """The names of the folders and zips, in order."""
        return [
            name
            for name in self.names
            if self.entries[name].kind == FOLDER or name.lower().endswith(".zip")
        ]

    def fetch(self, names: list[str], into: Path) -> Path:
        """Copy the named drops to the folder `into`, readable for this user only; return it.

        Folders inside a drop are ignored. A store on this machine is not copied: its own folder is
        returned.
        """
        if isinstance(self._system, LocalFileSystem):
            return Path(self._path or "/")
        with as_fetch_error(self.address):
            for name in names:
                source = f"{self._path}/{name}"
                if self.entries[name].kind == FOLDER:
                    self._fetch_folder(source, into / name)
                else:
                    download(self._system, source, into / name)
        return into

    def _fetch_folder(self, source: str, into: Path) -> None:
        into.mkdir(mode=0o700)
        for name, entry in list_folder(self._system, source).items():
            if entry.kind == FILE:
                download(self._system, f"{source}/{name}", into / name)


class DropAddress:
    """One drop at an address or a path on this machine. Raises `FetchError`."""

    def __init__(self, address: str, access: Access | None = None) -> None:
        self.address = address
        with as_fetch_error(address):
            self._system, path = open_filesystem(address, access or Access())
        self._path = path.rstrip("/")

    def look(self) -> dict[str, RemoteFile]:
        """List the files of the drop: those in its folder, or the zip."""
        with as_fetch_error(self.address):
            itself = remote_file(self._info(self._path))
            if itself.kind != FOLDER:
                return {basename(self._path): itself}
            return {
                name: entry
                for name, entry in list_folder(self._system, self._path).items()
                if entry.kind == FILE
            }

    def marker(self, name: str) -> RemoteFile | None:
        """Look up a file in the folder or beside the zip; None if it does not exist."""
        with as_fetch_error(self.address):
            folder = self._info(self._path)["type"] == FOLDER
            where = self._path if folder else dirname(self._path)
            try:
                return remote_file(self._info(f"{where}/{name}"))
            except FileNotFoundError:
                return None

    def fetch(self, into: Path, leave: frozenset[str] = frozenset()) -> Path:
        """Copy the drop into a folder, readable for its owner only; return the path of the copy.

        The files that `leave` names are not copied.
        """
        copy = into / (basename(self._path) or "drop")
        with as_fetch_error(self.address):
            if self._info(self._path)["type"] != FOLDER:
                return download(self._system, self._path, copy)
            copy.mkdir(mode=0o700)
            for name in self.look().keys() - leave:
                download(self._system, f"{self._path}/{name}", copy / name)
        return copy

    def _info(self, path: str) -> dict[str, Any]:
        self._system.invalidate_cache()
        return dict(self._system.info(path))


def download(system: Any, source: str, into: Path) -> Path:
    """Download one file, which only its owner can read at any time.

    Raises `FetchError` if the size is not the one that the file system reports.
    """
    into.touch(mode=0o600, exist_ok=False)
    size = system.info(source).get("size")
    system.get_file(source, str(into))
    if size is not None and into.stat().st_size != size:
        raise FetchError(
            f"Only {into.stat().st_size:,} of {count_of(size, 'bytes')} of {basename(source)} "
            "arrived. Run again."
        )
    return into


@dataclass(frozen=True)
class RemoteFile:
    """A file or folder, as far as its file system describes it."""

    kind: str  # `FOLDER`, `FILE` or `LINK`
    size: int | None = None  # in bytes
    changed: datetime | None = None
    version: str = ""


def list_folder(system: Any, path: str) -> dict[str, RemoteFile]:
    """List a folder by name, without a cache and without what an operating system left there."""
    system.invalidate_cache()
    infos = {str(info["name"]).rstrip("/"): info for info in system.ls(path, detail=True)}
    # Some file systems list the folder itself too.
    by_name = {
        basename(full): info for full, info in infos.items() if full.strip("/") != path.strip("/")
    }
    return {
        name: remote_file(dict(system.info(info["name"])) if info["type"] == LINK else info)
        for name, info in by_name.items()
        if name and not is_noise(name)
    }


def remote_file(info: dict[str, Any]) -> RemoteFile:
    """Read what a file system reports about one file or folder."""
    size = info.get("size")
    version = next((str(info[name]) for name in VERSION_KEYS if info.get(name)), "")
    return RemoteFile(
        str(info["type"]), None if size is None else int(size), _changed(info), version
    )


def _changed(info: dict[str, Any]) -> datetime | None:
    time = next((info[name] for name in CHANGED_KEYS if info.get(name)), None)
    if isinstance(time, int | float):
        return datetime.fromtimestamp(time, UTC)
    if isinstance(time, str):
        return parsedate_to_datetime(time) if "," in time else datetime.fromisoformat(time)
    return time
