"""The files that runs write into their folders below `runs/`.

This one list is for writing and for `roster forget`. All of these files contain ids, and some
contain names. A file that is not on the list cannot be written, so that no new file can outlive the
person whose id is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from connectors.private_files import write_private

RunFile = Literal[
    "report.md", "rejects.csv", "plan.md", "plan.csv", "ids.csv", "ids_in_doubt.csv", "verify.csv"
]
# The columns with ids, names and values of people: `roster forget` removes rows by them. Texts have
# no columns; in them the words that identify a person are masked.
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
    """Write a file of a run into its folder, readable by the owner only. Return its path."""
    path = folder / name
    write_private(path, text)
    return path
