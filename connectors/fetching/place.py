"""One drop at its address: a zip or a folder, what it consists of, and how it is brought here."""

from __future__ import annotations

from pathlib import Path
from posixpath import basename, dirname
from typing import Any

from connectors.fetching.access import Access
from connectors.fetching.errors import FetchError, told
from connectors.fetching.listing import FILE, FOLDER, Entry, entry_of, listed
from connectors.fetching.systems import opened


class Place:
    """A drop at an address, or at a path on this machine. Raises `FetchError`."""

    def __init__(self, address: str, access: Access | None = None) -> None:
        self.address = address
        with told(address):
            self._system, path = opened(address, access or Access())
        self._path = path.rstrip("/")

    def look(self) -> dict[str, Entry]:
        """Say what the drop consists of: the files of its folder, or the zip."""
        with told(self.address):
            itself = entry_of(self._info(self._path))
            if itself.kind != FOLDER:
                return {basename(self._path): itself}
            return {name: entry for name, entry in listed(self._system, self._path).items() if entry.kind == FILE}

    def marker(self, name: str) -> Entry | None:
        """Look for a file in the folder, or beside the zip."""
        with told(self.address):
            folder = self._info(self._path)["type"] == FOLDER
            where = self._path if folder else dirname(self._path)
            try:
                return entry_of(self._info(f"{where}/{name}"))
            except FileNotFoundError:
                return None

    def fetch(self, into: Path, leave: frozenset[str] = frozenset()) -> Path:
        """Bring the drop into a folder, for its owner only, but for the files to `leave`; give where it is then."""
        here = into / (basename(self._path) or "drop")
        with told(self.address):
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
        raise FetchError(f"Of {basename(source)}, {into.stat().st_size} bytes of {size} came. Run again.")
    return into
