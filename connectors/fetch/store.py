"""A folder of drops at an address; what is needed of it is brought here for as long as it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from posixpath import basename, dirname
from typing import Any

from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from connectors.drops.members import is_noise
from connectors.fetch.filesystems import Access, FetchError, fetch_error, opened


class DropStore:
    """A folder at an address, or on this machine. Raises `FetchError`."""

    def __init__(self, address: str, access: Access | None = None) -> None:
        self.address = address
        with fetch_error(address):
            self._system, path = opened(address, access or Access())
            if not self._system.isdir(path):
                raise FileNotFoundError(f"no folder {path}")
            self._path = path.rstrip("/")
            self.entries: dict[str, RemoteFile] = listed(self._system, path)

    @property
    def names(self) -> list[str]:
        """Name what lies in the folder, in order, but for what an operating system left there."""
        return sorted(self.entries)

    @property
    def drops(self) -> list[str]:
        """Name the folders and zips."""
        return [
            name
            for name in self.names
            if self.entries[name].kind == FOLDER or name.lower().endswith(".zip")
        ]

    def fetch(self, names: list[str], into: Path) -> Path:
        """Give a folder with these of what lies there: `into`, where they are brought for this user only.

        What lies on this machine already is used where it is. Folders in folders are not looked into.
        """
        if isinstance(self._system, LocalFileSystem):
            return Path(self._path or "/")
        with fetch_error(self.address):
            for name in names:
                source = f"{self._path}/{name}"
                if self.entries[name].kind == FOLDER:
                    self._bring_folder(source, into / name)
                else:
                    bring(self._system, source, into / name)
        return into

    def _bring_folder(self, source: str, into: Path) -> None:
        into.mkdir(mode=0o700)
        for name, entry in listed(self._system, source).items():
            if entry.kind == FILE:
                bring(self._system, f"{source}/{name}", into / name)


class DropAddress:
    """A drop at an address, or at a path on this machine. Raises `FetchError`."""

    def __init__(self, address: str, access: Access | None = None) -> None:
        self.address = address
        with fetch_error(address):
            self._system, path = opened(address, access or Access())
        self._path = path.rstrip("/")

    def look(self) -> dict[str, RemoteFile]:
        """Say what the drop consists of: the files of its folder, or the zip."""
        with fetch_error(self.address):
            itself = entry_of(self._info(self._path))
            if itself.kind != FOLDER:
                return {basename(self._path): itself}
            return {
                name: entry
                for name, entry in listed(self._system, self._path).items()
                if entry.kind == FILE
            }

    def marker(self, name: str) -> RemoteFile | None:
        """Look for a file in the folder, or beside the zip."""
        with fetch_error(self.address):
            folder = self._info(self._path)["type"] == FOLDER
            where = self._path if folder else dirname(self._path)
            try:
                return entry_of(self._info(f"{where}/{name}"))
            except FileNotFoundError:
                return None

    def fetch(self, into: Path, leave: frozenset[str] = frozenset()) -> Path:
        """Bring the drop into a folder, for its owner only, but for the files to `leave`; give where it is then."""
        here = into / (basename(self._path) or "drop")
        with fetch_error(self.address):
            if self._info(self._path)["type"] != FOLDER:
                return bring(self._system, self._path, here)
            here.mkdir(mode=0o700)
            for name in self.look().keys() - leave:
                bring(self._system, f"{self._path}/{name}", here / name)
        return here

    def _info(self, path: str) -> dict[str, Any]:
        self._system.invalidate_cache()
        return dict(self._system.info(path))


def bring(system: Any, source: str, into: Path) -> Path:
    """Bring one file, which nobody but its owner may read at any time."""
    into.touch(mode=0o600, exist_ok=False)
    size = system.info(source).get("size")
    system.get_file(source, str(into))
    if size is not None and into.stat().st_size != size:
        raise FetchError(
            f"Of {basename(source)}, {into.stat().st_size} bytes of {size} came. Run again."
        )
    return into


FOLDER, FILE, LINK = "directory", "file", "link"
# Under which names they say when a file was changed: SFTP and this machine, S3, HTTP, Microsoft's, Google's, and memory.
MOMENTS = ("mtime", "LastModified", "Last-Modified", "last_modified", "updated", "created")
VERSIONS = ("ETag", "etag")


@dataclass(frozen=True)
class RemoteFile:
    """A file or folder: its size in bytes, when it was `changed` and which `version` it is, as far as its file system says so."""

    kind: str
    size: int | None = None
    changed: datetime | None = None
    version: str = ""


def listed(system: Any, path: str) -> dict[str, RemoteFile]:
    """List a folder anew, but for what an operating system left there; some systems list the folder itself too."""
    system.invalidate_cache()
    there = [(str(one["name"]).rstrip("/"), one) for one in system.ls(path, detail=True)]
    named = {basename(place): one for place, one in there if place.strip("/") != path.strip("/")}
    wanted = {name: one for name, one in named.items() if name and not is_noise(name)}
    return {name: entry_of(_followed(system, one)) for name, one in wanted.items()}


def entry_of(said: dict[str, Any]) -> RemoteFile:
    """Read what a file system says of one file or folder."""
    size = said.get("size")
    version = next((str(said[name]) for name in VERSIONS if said.get(name)), "")
    return RemoteFile(
        str(said["type"]), None if size is None else int(size), _changed(said), version
    )


def _followed(system: Any, said: dict[str, Any]) -> dict[str, Any]:
    """Give what a link leads to in its place."""
    return dict(system.info(said["name"])) if said["type"] == LINK else said


def _changed(said: dict[str, Any]) -> datetime | None:
    moment = next((said[name] for name in MOMENTS if said.get(name)), None)
    if isinstance(moment, int | float):
        return datetime.fromtimestamp(moment, UTC)
    if isinstance(moment, str):
        return parsedate_to_datetime(moment) if "," in moment else datetime.fromisoformat(moment)
    return moment
