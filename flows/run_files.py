"""The files that runs leave in their folders below `runs/`: one list, for those who write and for `roster forget`.

All of them have ids, and some have names. A file that is not on the list cannot be written, so that a new one cannot
outlive the person whose id is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from connectors.private_files import write_private

RunFile = Literal[
    "report.md", "rejects.csv", "plan.md", "plan.csv", "ids.csv", "ids_in_doubt.csv", "verify.csv"
]
# The columns in which ids, names and values of people stand, by which `roster forget` takes rows out of a table. Texts
# have no columns: there the words by which a person is known are masked.
RUN_FILES: dict[RunFile, frozenset[str]] = {
    "report.md": frozenset(),
    "rejects.csv": frozenset({"sourcedId", "value"}),
    "plan.md": frozenset(),
    "plan.csv": frozenset({"sourcedId", "name"}),
    "ids.csv": frozenset({"old", "new"}),
    "ids_in_doubt.csv": frozenset({"old", "new"}),
    "verify.csv": frozenset({"sourcedId", "detail"}),
}


def write_run_file(folder: Path, name: RunFile, text: str) -> Path:
    """Write a file of a run, for its owner only, into the folder of that run; give its path."""
    path = folder / name
    write_private(path, text)
    return path
