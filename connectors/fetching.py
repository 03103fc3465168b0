"""Folders that lie elsewhere, at any address that fsspec opens; what is needed of them is brought here for as long as it is.

Credentials come from the environment, as each of fsspec's file systems expects them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import basename
from typing import Any

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from connectors.drops.members import is_noise

CHUNK = 1 << 20
FOLDER, FILE = "directory", "file"


class FetchError(Exception):
    """An address that cannot be read, told in a sentence with the next step."""


class Store:
    """A folder at an address, or on this machine. Raises `FetchError`."""

    def __init__(self, address: str) -> None:
        self.address = address
        if shown(address) != address:
            raise FetchError(
                f"{shown(address)} is given with a password or a query, which may be a secret. Leave it out: "
                "credentials come from the environment, as fsspec expects them."
            )
        with _told(address):
            self._system, self._path = _opened(address)
            self._kinds = self._listed(self._path)

    @property
    def names(self) -> list[str]:
        """Name what lies in the folder, in order, but for what an operating system left there."""
        return sorted(self._kinds)

    @property
    def drops(self) -> list[str]:
        """Name the folders and zips."""
        return [name for name in self.names if self._kinds[name] == FOLDER or name.lower().endswith(".zip")]

    def fetch(self, names: list[str], into: Path) -> Path:
        """Give a folder with these of what lies there: `into`, where they are brought for this user only.

        What lies on this machine already is used where it is. Folders in folders are not looked into.
        """
        if isinstance(self._system, LocalFileSystem):
            return Path(self._path)
        with _told(self.address):
            for name in names:
                if self._kinds[name] == FOLDER:
                    self._bring_folder(self._below(self._path, name), into / name)
                else:
                    self._bring(self._below(self._path, name), into / name)
        return into

    def _bring_folder(self, source: str, into: Path) -> None:
        into.mkdir(mode=0o700)
        for name, kind in self._listed(source).items():
            if kind == FILE:
                self._bring(self._below(source, name), into / name)

    def _bring(self, source: str, into: Path) -> None:
        made = os.open(into, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(made, "wb") as file, self._system.open(source, "rb") as found:
            shutil.copyfileobj(found, file, CHUNK)

    def _listed(self, path: str) -> dict[str, str]:
        """What lies in a folder, and of which kind it is; some systems list the folder itself too."""
        there = [(str(one["name"]).rstrip("/"), str(one["type"])) for one in self._system.ls(path, detail=True)]
        found = {basename(place): kind for place, kind in there if place.strip("/") != path.strip("/")}
        return {name: kind for name, kind in found.items() if name and not is_noise(name)}

    def _below(self, path: str, name: str) -> str:
        return f"{path.rstrip('/')}/{name}"


def _opened(address: str) -> tuple[Any, str]:
    system, path = fsspec.core.url_to_fs(address)
    if not system.isdir(path):
        raise FileNotFoundError(f"no folder {path}")
    return system, str(path)


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Tell any fault of a file system, each of which has its own, with the address but for what is secret in it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (each file system has errors of its own)
        kind = f"{type(error).__name__}: {error}" if isinstance(error, (OSError, ImportError, ValueError)) else type(error).__name__  # fmt: skip
        raise FetchError(
            f"{shown(address)} cannot be read ({kind.replace(address, shown(address))}). Check the address, and the credentials in the environment."
        ) from None


def shown(address: str) -> str:
    """An address as it may be shown: without a password, and without a query, in which some have their secrets."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    user, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{re.split('[?#]', place)[0]}"
