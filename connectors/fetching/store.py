"""A folder of drops at an address; what is needed of it is brought here for as long as it is."""

from __future__ import annotations

from pathlib import Path

from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from connectors.fetching.access import Access
from connectors.fetching.errors import told
from connectors.fetching.listing import FILE, FOLDER, Entry, listed
from connectors.fetching.place import bring
from connectors.fetching.systems import opened


class Store:
    """A folder at an address, or on this machine. Raises `FetchError`."""

    def __init__(self, address: str, access: Access | None = None) -> None:
        self.address = address
        with told(address):
            self._system, path = opened(address, access or Access())
            if not self._system.isdir(path):
                raise FileNotFoundError(f"no folder {path}")
            self._path = path.rstrip("/")
            self.entries: dict[str, Entry] = listed(self._system, path)

    @property
    def names(self) -> list[str]:
        """Name what lies in the folder, in order, but for what an operating system left there."""
        return sorted(self.entries)

    @property
    def drops(self) -> list[str]:
        """Name the folders and zips."""
        return [name for name in self.names if self.entries[name].kind == FOLDER or name.lower().endswith(".zip")]

    def fetch(self, names: list[str], into: Path) -> Path:
        """Give a folder with these of what lies there: `into`, where they are brought for this user only.

        What lies on this machine already is used where it is. Folders in folders are not looked into.
        """
        if isinstance(self._system, LocalFileSystem):
            return Path(self._path or "/")
        with told(self.address):
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
