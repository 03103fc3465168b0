"""Folders that lie elsewhere, at any address that fsspec opens; what is needed of them is brought here for as long as it is.

Credentials come from the environment, as each of fsspec's file systems expects them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import basename
from tempfile import TemporaryDirectory
from typing import Any

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]


class FetchError(Exception):
    """An address that cannot be read, told in a sentence with the next step."""


class Store:
    """A folder at an address, or on this machine. Raises `FetchError`."""

    def __init__(self, address: str) -> None:
        self.address = address
        with _told(address):
            self._system, self._path = _opened(address)

    def names(self) -> list[str]:
        """Name what lies in the folder, in order."""
        with _told(self.address):
            return sorted(basename(str(one).rstrip("/")) for one in self._system.ls(self._path, detail=False))

    @contextmanager
    def fetched(self, names: list[str], into: Path) -> Iterator[Path]:
        """Bring some of what lies there into a folder below `into`, for this user only, until the body is over.

        What lies on this machine already is used where it is.
        """
        if isinstance(self._system, LocalFileSystem):
            yield Path(self._path)
            return
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=into, prefix="fetched-") as folder:
            for name in names:
                with _told(self.address):
                    self._system.get(f"{self._path.rstrip('/')}/{name}", f"{folder}/{name}", recursive=True)
            yield Path(folder)


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
    except FetchError:
        raise
    except Exception as error:  # noqa: BLE001  (each file system has errors of its own)
        kind = f"{type(error).__name__}: {error}" if isinstance(error, (OSError, ImportError, ValueError)) else type(error).__name__  # fmt: skip
        raise FetchError(
            f"{shown(address)} cannot be read ({kind.replace(address, shown(address))}). Check the address, and the credentials in the environment."
        ) from None


def shown(address: str) -> str:
    """An address as it may be shown: without a user's name and password."""
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else address
