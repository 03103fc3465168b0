"""The files that runs leave in their folders below `runs/`: one list, for those who write and for `roster forget`.

All of them have ids, and some have names. A file that is not on the list cannot be written, so that a new one cannot
outlive the person whose id is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from flows.files import write_private

RunFile = Literal["report.md", "rejects.csv", "plan.md", "plan.csv", "ids.csv", "ids_in_doubt.csv", "verify.csv"]
# How a person is taken out of a file: the rows that name the person go (table), or the words are masked (text).
Redaction = Literal["table", "text"]

RUN_FILES: dict[RunFile, Redaction] = {
    "report.md": "text",
    "rejects.csv": "table",
    "plan.md": "text",
    "plan.csv": "table",
    "ids.csv": "table",
    "ids_in_doubt.csv": "table",
    "verify.csv": "table",
}


def write_run_file(folder: Path, name: RunFile, text: str) -> Path:
    """Write a file of a run, for its owner only, into the folder of that run; give its path."""
    path = folder / name
    write_private(path, text)
    return path
