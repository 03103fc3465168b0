"""A drop, or a folder of drops, at an address: list it, and fetch a copy to this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from posixpath import basename, dirname
from typing import Any

from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from connectors.drops.members import is_noise
from connectors.fetch.addresses import Access, IncompleteFetchError, LostConnectionError
from connectors.fetch.connection import StoreConnection
from connectors.fetch.losses import is_lost, real_error
from connectors.oneroster.retry import RetryPolicy
from transforms.grammar import count_of

FOLDER, FILE, LINK = "directory", "file", "link"
# The names under which file systems report when a file was changed: SFTP and this machine, S3,
# HTTP, Microsoft, Google, memory.
CHANGED_KEYS = ("mtime", "LastModified", "Last-Modified", "last_modified", "updated", "created")
VERSION_KEYS = ("ETag", "etag")


class DropStore:
    """A folder of drops at an address or on this machine. Raises `FetchError`.

    `policy` says how often and how long it is asked if the connection is lost.
    """

    def __init__(
        self, address: str, access: Access | None = None, policy: RetryPolicy | None = None
    ) -> None:
        self.address = address
        self._connection = StoreConnection(address, access, policy)
        self.entries: dict[str, RemoteFile] = self._connection.ask(_list_drops)

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
        returned. Raises `IncompleteFetchError` if a drop does not arrive completely.
        """
        here = self._connection.ask(_local_folder)
        if here is not None:
            return here
        with as_incomplete(self.address):
            for name in names:
                if self.entries[name].kind == FOLDER:
                    self._fetch_folder(name, into / name)
                else:
                    fetch_file(self._connection, name, into / name)
        return into

    def _fetch_folder(self, drop: str, into: Path) -> None:
        into.mkdir(mode=0o700)
        entries = self._connection.ask(
            lambda system, path: list_folder(system, f"{path.rstrip('/')}/{drop}")
        )
        for name, entry in entries.items():
            if entry.kind == FILE:
                fetch_file(self._connection, f"{drop}/{name}", into / name)


def _list_drops(system: Any, path: str) -> dict[str, RemoteFile]:
    if not system.isdir(path):
        # `isdir` says no also if the connection was lost.
        with suppress_missing():
            system.info(path)
        raise FileNotFoundError(f"no folder {path}")
    return list_folder(system, path)


def _local_folder(system: Any, path: str) -> Path | None:
    return Path(path.rstrip("/") or "/") if isinstance(system, LocalFileSystem) else None


class DropAddress:
    """One drop at an address or a path on this machine. Raises `FetchError`.

    `policy` says how often and how long it is asked if the connection is lost.
    """

    def __init__(
        self, address: str, access: Access | None = None, policy: RetryPolicy | None = None
    ) -> None:
        self.address = address
        self._connection = StoreConnection(address, access, policy)
        self._name: str = self._connection.ask(lambda _system, path: basename(path.rstrip("/")))

    def look(self) -> dict[str, RemoteFile]:
        """List the files of the drop: those in its folder, or the zip."""
        return self._connection.ask(_list_files)

    def marker(self, name: str) -> RemoteFile | None:
        """Look up a file in the folder or beside the zip; None if it does not exist."""

        def look_up(system: Any, path: str) -> RemoteFile | None:
            path = path.rstrip("/")
            where = path if _info(system, path)["type"] == FOLDER else dirname(path)
            with suppress_missing():
                return remote_file(_info(system, f"{where}/{name}"))
            return None

        return self._connection.ask(look_up)

    def fetch(self, into: Path, leave: frozenset[str] = frozenset()) -> Path:
        """Copy the drop into a folder, readable for its owner only; return the path of the copy.

        The files that `leave` names are not copied. Raises `IncompleteFetchError` if the drop does
        not arrive completely.
        """
        copy = into / (self._name or "drop")
        with as_incomplete(self.address):
            files = self._connection.ask(_files_in_folder)
            if files is None:
                return fetch_file(self._connection, "", copy)
            copy.mkdir(mode=0o700)
            for name in files.keys() - leave:
                fetch_file(self._connection, name, copy / name)
        return copy


def _list_files(system: Any, path: str) -> dict[str, RemoteFile]:
    path = path.rstrip("/")
    files = _files_in_folder(system, path)
    return {basename(path): remote_file(_info(system, path))} if files is None else files


def _files_in_folder(system: Any, path: str) -> dict[str, RemoteFile] | None:
    """List the files of a folder; None if it is a file."""
    path = path.rstrip("/")
    if _info(system, path)["type"] != FOLDER:
        return None
    entries = list_folder(system, path)
    return {name: entry for name, entry in entries.items() if entry.kind == FILE}


def _info(system: Any, path: str) -> dict[str, Any]:
    system.invalidate_cache()
    return dict(system.info(path))


CHANGED = "it changed while it was read"


@contextmanager
def as_incomplete(address: str) -> Iterator[None]:
    """Turn the loss of a connection into an `IncompleteFetchError`: a drop was on its way."""
    try:
        yield
    except LostConnectionError as error:
        raise IncompleteFetchError(address, error.what) from None


@contextmanager
def suppress_missing() -> Iterator[None]:
    """Suppress that a file does not exist, unless the real error is a lost connection."""
    try:
        yield
    except FileNotFoundError as error:
        if is_lost(real_error(error)):
            raise


def fetch_file(connection: StoreConnection, name: str, into: Path) -> Path:
    """Fetch one file below a connection's path, which only its owner can read at any time.

    Raises `IncompleteFetchError` if it changes or goes away meanwhile.
    """

    def fetch(system: Any, path: str) -> str:
        source = "/".join(part for part in (path.rstrip("/"), name) if part)
        with suppress_missing():
            return download(system, source, into)
        return f"{basename(source)} is no longer there"

    if why := connection.ask(fetch):
        raise IncompleteFetchError(connection.address, why)
    return into


def download(system: Any, source: str, into: Path) -> str:
    """Download one file, which only its owner can read at any time.

    Return how it changed meanwhile; blank if it did not. Raises `ConnectionError` if only a part
    of an unchanged file arrives.
    """
    into.unlink(missing_ok=True)
    into.touch(mode=0o600, exist_ok=False)
    size = _info(system, source).get("size")
    system.get_file(source, str(into))
    arrived = into.stat().st_size
    if size is None or arrived == size:
        return ""
    if _info(system, source).get("size") != size:
        return CHANGED
    raise ConnectionError(
        f"only {arrived:,} of {count_of(size, 'bytes')} of {basename(source)} arrived"
    )


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
