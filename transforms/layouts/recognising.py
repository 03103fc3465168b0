"""Which layout a drop is written in, by the names of its files and columns; refused where none or two fit."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.layouts.layout import Layout
from transforms.layouts.matching import cells_of, file_called
from transforms.raw import Raw


@dataclass(frozen=True)
class Fit:
    """How well a layout fits a drop: what speaks for it, and what it wants and does not find."""

    found: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether everything that it needs is there."""
        return bool(self.found) and not self.lacking


def fit(layout: Layout, raw: Raw) -> Fit:
    """Hold the files that a layout needs, and the columns that those require, against a drop."""
    there = {file.name: source for source in raw.files.values() if (file := file_called(layout, source.name))}
    broken = {file.name for name in raw.broken if (file := file_called(layout, name))}
    found: list[str] = []
    lacking: list[str] = []
    needed = [file for file in layout.files if file.needed]
    for file in needed or [file for file in layout.files if file.required and file.name in there]:
        source = there.get(file.name)
        if source is None:
            (found if file.name in broken else lacking).append(f"{file.name}.csv")
            continue
        cells = cells_of(file, layout.columns_of(file), source.header)
        missing = [name for name in file.required if name not in cells]
        lacking += [f"{name} in {source.name}" for name in missing]
        found += [] if missing else [f"{source.name} with {', '.join(file.required)}"]
    return Fit(tuple(found), tuple(lacking))
