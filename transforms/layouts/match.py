"""A raw drop -> the files of a layout, with the columns that it declares, however they are spelt."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePath

import polars as pl

from transforms.findings import ROW, Findings, of_file
from transforms.layouts.layout import File, Layout, plain
from transforms.renamed_ids import FILE as IDS
from transforms.roster import Raw, RawFile

# How alike names are: of a column that is surely missing, and of one that may have been meant.
NEAR, CLOSE = 0.6, 0.8


@dataclass(frozen=True)
class MatchedFile:
    """One file of the layout in a drop: `cells` leads from the names of declared columns to those in the file.

    `frame` has `#row` and each declared column, blank where the file lacks it.
    """

    file: File
    raw: RawFile
    cells: dict[str, str]
    frame: pl.DataFrame

    @property
    def filled(self) -> bool:
        """Whether it has any row."""
        return self.raw.frame.height + len(self.raw.ragged) > 0

    @property
    def spelt(self) -> dict[tuple[str, str], str]:
        """For each column of the roster that is made of one of this file's, its name and theirs, if those are others."""
        made: dict[str, dict[str, None]] = {}
        for column, cell in (pair for one in self.file.gives for pair in one.columns.items()):
            read = [self.cells[name] for name in cell.reads if name in self.cells]
            made.setdefault(column, {}).update(dict.fromkeys(read if len(read) == 1 else ()))
        return {
            (self.raw.name, column): ", ".join(cells)
            for column, cells in made.items()
            if [*cells] not in ([], [column])
        }


@dataclass(frozen=True)
class Matched:
    """The files of a layout in a drop, by their names in the layout; `broken` ones are there and cannot be used."""

    files: dict[str, MatchedFile]
    broken: frozenset[str] = frozenset()
    findings: list[Findings] = field(default_factory=list)


def file_called(layout: Layout, name: str) -> File | None:
    """The file of a layout that a file of a drop is, by its name."""
    stem = plain(PurePath(name).stem)
    return next(
        (file for file in layout.files if stem in {plain(one) for one in (file.name, *file.names)}),
        None,
    )


def matched(layout: Layout, raw: Raw, strict: bool) -> Matched:
    """Find the layout's files and their columns; what is missing, unknown or spelt otherwise is told."""
    found = Matched(
        {}, frozenset(file.name for name in raw.broken if (file := file_called(layout, name)))
    )
    twice = _twice(layout, raw)
    for source in raw.files.values():
        file = file_called(layout, source.name)
        if file is not None and file.name in twice:
            found.findings.append(of_file("file_twice", source.name, ", ".join(twice[file.name])))
        elif file is not None:
            found.findings.extend(_taken(layout, file, source, found, strict))
        elif source.name.casefold() != IDS:
            found.findings.append(of_file("unknown_file", source.name, strict=strict))
    broken = (
        found.broken
        | twice.keys()
        | {
            file.name
            for file in layout.files
            if file.name not in found.files and _headless(file, found)
        }
    )
    found.findings.extend(
        of_file("file_alone", one.raw.name, f"{one.file.beside}.csv")
        for one in found.files.values()
        if one.filled and one.file.beside and one.file.beside not in found.files
    )
    lacking = [file.name for file in layout.files if file.needed and file.name not in found.files]
    found.findings.extend(
        of_file("layout_file_missing", "", f"{name}.csv, of {layout.code}") for name in lacking
    )
    ordered = {
        file.name: found.files[file.name] for file in layout.files if file.name in found.files
    }
    return Matched(ordered, broken, found.findings)


def _twice(layout: Layout, raw: Raw) -> dict[str, list[str]]:
    """The files of a layout of which the drop has several, by their names: nobody knows which is meant."""
    names: dict[str, list[str]] = {}
    for source in raw.files.values():
        if file := file_called(layout, source.name):
            names.setdefault(file.name, []).append(source.name)
    return {name: ones for name, ones in names.items() if len(ones) > 1}


def _headless(file: File, found: Matched) -> bool:
    """Whether a file was refused for its header."""
    refused = {plain(PurePath(name).stem) for part in found.findings for name in part.fatal["file"]}
    return bool(refused & {plain(one) for one in (file.name, *file.names)})


def _taken(
    layout: Layout, file: File, source: RawFile, found: Matched, strict: bool
) -> list[Findings]:
    declared = layout.columns_of(file)
    cells = cells_of(file, declared, source.header)
    missing = [name for name in file.required if name not in cells]
    unread = [
        cell
        for cell in source.header
        if cell and cell not in cells.values() and not _ignored(file, cell)
    ]
    told = [
        *(_missing(source.name, name, unread) for name in missing),
        *(
            of_file(
                "header_unknown",
                source.name,
                _meant(cell, declared, cells),
                column=cell,
                strict=strict,
            )
            for cell in unread
        ),
        *_renames(file, source.name, cells, strict),
        *_left_out(file, source, cells),
    ]
    if not missing:
        frame = source.frame.select(
            ROW,
            *(
                pl.col(cells[name]).alias(name)
                if name in cells
                else pl.lit(None, pl.String).alias(name)
                for name in declared
            ),
        )
        found.files[file.name] = MatchedFile(file, source, cells, frame)
    return told


def cells_of(file: File, declared: tuple[str, ...], header: tuple[str, ...]) -> dict[str, str]:
    """Which column of a file each declared one is: by its own name, without case and separators, or by another name."""
    spellings = {plain(cell): cell for cell in reversed(header) if cell}
    found: dict[str, str] = {}
    for name in declared:
        for spelling in (name, *file.aliases.get(name, ())):
            cell = spelling if spelling in header else spellings.get(plain(spelling))
            if cell is not None and cell not in found.values():
                found[name] = cell
                break
    return found


def _ignored(file: File, cell: str) -> bool:
    return any(fnmatchcase(plain(cell), plain(pattern)) for pattern in file.ignored)


def _missing(file: str, column: str, unread: list[str]) -> Findings:
    close = difflib.get_close_matches(plain(column), [plain(cell) for cell in unread], 1, NEAR)
    meant = next((f"did you mean {cell!r}?" for cell in unread if plain(cell) in close), "")
    return of_file(
        "header_missing",
        file,
        meant or (f"found instead: {', '.join(unread)}" if unread else ""),
        column=column,
    )


def _meant(cell: str, declared: tuple[str, ...], cells: dict[str, str]) -> str:
    free = [name for name in declared if name not in cells]
    close = difflib.get_close_matches(plain(cell), [plain(name) for name in free], 1, CLOSE)
    return next((f"did you mean {name!r}?" for name in free if plain(name) in close), "")


def _renames(file: File, name: str, cells: dict[str, str], strict: bool) -> list[Findings]:
    """Report columns that are spelt neither as the layout writes them nor in another way that it is known to."""
    return [
        of_file("header_renamed", name, f"{cell!r}", column=column, strict=strict)
        for column, cell in cells.items()
        if cell not in (column, *file.aliases.get(column, ()))
    ]


def _left_out(file: File, source: RawFile, cells: dict[str, str]) -> list[Findings]:
    """Name the columns with values that are not read on purpose."""
    names = [
        cell
        for cell in source.header
        if cell and cell not in cells.values() and _ignored(file, cell)
    ]
    filled = [name for name in names if source.frame[name].count()]
    return (
        [of_file("column_ignored", source.name, ", ".join(filled), count=len(filled))]
        if filled
        else []
    )


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
    there = {
        file.name: source
        for source in raw.files.values()
        if (file := file_called(layout, source.name))
    }
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
