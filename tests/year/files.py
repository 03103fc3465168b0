"""The files of one night, as tables, and how they are written into a folder."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

Row = dict[str, str]
Tables = dict[str, list[Row]]
DISTRICT_ID = "D-1"


@dataclass
class Files:
    """The files of one night, by file name."""

    tables: Tables
    # The header of a column, by file and column; None leaves the column out.
    called: dict[tuple[str, str], str | None] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # files that are text already

    def written(self) -> dict[str, str]:
        """Return the text of each file."""
        return {
            name: _text(name, rows, self.called) for name, rows in self.tables.items() if rows
        } | self.texts


def write(files: dict[str, str], folder: Path) -> Path:
    """Write the files of a night into a folder, and delete those of the night before."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def _text(file: str, rows: list[Row], called: dict[tuple[str, str], str | None]) -> str:
    columns = [name for name in rows[0] if called.get((file, name), name) is not None]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([called.get((file, name), name) for name in columns])
    writer.writerows([row[name] for name in columns] for row in rows)
    return out.getvalue()
