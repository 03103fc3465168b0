"""The drops that are damaged: every folder of sample data with CSV files, whatever its layout."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from transforms.sources import LAYOUTS, SOURCES

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
Table = list[list[str]]


@dataclass(frozen=True)
class Sample:
    """A drop as bytes by file name, and the layout that it is written in."""

    layout: str
    files: dict[str, bytes]

    def tables(self) -> dict[str, Table]:
        """The cells of each file, the header first, as Python's own reader has them."""
        texts = {name: data.decode("utf-8-sig") for name, data in self.files.items()}
        return {name: self._table(text) for name, text in texts.items()}

    @property
    def escape(self) -> str | None:
        """The sign before quotes inside cells, where the layout has one."""
        return (LAYOUTS[self.layout].escape if self.layout in LAYOUTS else "") or None

    def _table(self, text: str) -> Table:
        head = text.partition("\n")[0]
        delimiter = ";" if ";" in head and "," not in head else ","
        return list(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, escapechar=self.escape)
        )

    def written(self, table: Table) -> bytes:
        """Write cells as the programs do that write this layout."""
        out = io.StringIO(newline="")
        csv.writer(out, escapechar=self.escape, doublequote=self.escape is None).writerows(table)
        return out.getvalue().encode()


def _sample(folder: Path) -> Sample:
    """A folder is called as its layout, or begins so; the others are OneRoster's own."""
    layout = max(
        (code for code in SOURCES if folder.name.startswith(code)), key=len, default=SOURCES[0]
    )
    return Sample(layout, {file.name: file.read_bytes() for file in sorted(folder.glob("*.csv"))})


SAMPLES = {
    folder.name: _sample(folder)
    for folder in sorted(SAMPLE_DATA.iterdir())
    if any(folder.glob("*.csv"))
}


def put(folder: Path, files: dict[str, bytes]) -> Path:
    """Write the files of a drop into a folder, in place of those that were there."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
