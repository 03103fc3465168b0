"""Loads with which many tests begin: the first test of a process loads, the others copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from connectors.oneroster.sandbox import Sandbox

Record = tuple[str, str, str]


class Loads:
    """Copies of state folders and of targets' records, as they were right after a load."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records: dict[str, list[Record]] = {}

    def begin(
        self, name: str, state: Path, load: Callable[[], bool], sandbox: Sandbox | None = None
    ) -> None:
        """Load into an empty state and target, or copy the result of an earlier load of this name.

        `load` returns whether it succeeded. Without a `sandbox` the target is the embedded one,
        whose records are in the state folder.
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
