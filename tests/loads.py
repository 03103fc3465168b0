"""Loads that many tests begin with: the first test of a process loads, and the others begin with a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from connectors.oneroster.sandbox import Sandbox

Record = tuple[str, str, str]


class Loads:
    """State folders and records of targets, as they were right after a load; kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records: dict[str, list[Record]] = {}

    def begin(
        self, name: str, state: Path, load: Callable[[], bool], sandbox: Sandbox | None = None
    ) -> None:
        """Load, which says whether all went well; or, if that was done under this name before, put state and target where they were then.

        Without a `sandbox` the target is the embedded one, whose records are in the state folder.
        """
        kept = self._folder / name
        if name not in self._records:
            assert load()
            shutil.copytree(state, kept)
            self._records[name] = sandbox.store.query("SELECT * FROM records") if sandbox else []
            return
        shutil.copytree(kept, state)
        if sandbox:
            for record in self._records[name]:
                sandbox.store.query("INSERT INTO records VALUES (?, ?, ?)", record)
