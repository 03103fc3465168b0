"""Match the files and columns of a drop with those that a layout declares.

Also says how well a layout fits a drop, by which layouts are recognized.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePath

import polars as pl

from transforms.binding.names import comparable_name
from transforms.findings import ROW, Findings, file_finding
from transforms.layouts.layout import File, Layout
from transforms.renamed_ids import FILE as IDS
from transforms.roster import Raw, RawFile

# How similar a name must be to be suggested (`difflib` ratio): for a missing required column,
# and for an unknown column.
_MISSING, _UNKNOWN = 0.6, 0.8


@dataclass(frozen=True)
class MatchedFile:
    """One file of the layout that is in the drop."""

    file: File
    raw: RawFile
    cells: dict[str, str]  # declared column -> the name of that column in the drop
    frame: pl.DataFrame  # `#row` and the declared columns, blank where the drop has no such column

    @property
    def filled(self) -> bool:
        """Whether the file has any row."""
        return self.raw.frame.height + len(self.raw.ragged) > 0

    @property
    def spelt(self) -> dict[tuple[str, str, str], str]:
        """The source column of each roster column: as `Roster.spelt`.

        Only columns that are made from one column of this file, and whose name differs from it.
        """
        found: dict[tuple[str, str], dict[str, None]] = {}
        for rows in self.file.gives:
            for column, cell in rows.columns.items():
                read = [self.cells[name] for name in cell.reads if name in self.cells]
                names = found.setdefault((rows.entity, column), {})
                names.update(dict.fromkeys(read if len(read) == 1 else ()))
        named = {
            (entity, column): ", ".join(names)
            for (entity, column), names in found.items()
            if [*names] not in ([], [column])
        }
        # Where the entities agree, a finding need not name one.
        for column in {column for _, column in named}:
            all_names = {named.get(one, "") for one in found if one[1] == column}
            if len(all_names) == 1:
                named["", column] = all_names.pop()
        return {(self.raw.name, *key): names for key, names in named.items()}


@dataclass(frozen=True)
class LayoutMatch:
    """The files of a layout that are in a drop, by their names in the layout."""

    files: dict[str, MatchedFile]
    broken: frozenset[str] = frozenset()  # in the drop, but not usable
    findings: list[Findings] = field(default_factory=list)


def file_by_name(layout: Layout, name: str) -> File | None:
    """Return the file of the layout that matches the name of a file in the drop."""
    stem = comparable_name(PurePath(name).stem)
    return next(
        (
            file
            for file in layout.files
            if stem in {comparable_name(one) for one in (file.name, *file.names)}
        ),
        None,
    )


def match_files(layout: Layout, raw: Raw, strict: bool) -> LayoutMatch:
    """Find the layout's files in a drop, and their columns.

    The findings report missing, unknown and differently spelled files and columns; `strict` makes
    errors of the warnings among them.
    """
    files: dict[str, MatchedFile] = {}
    findings: list[Findings] = []
    duplicates = _duplicates(layout, raw)
    for source in raw.files.values():
        file = file_by_name(layout, source.name)
        if file is not None and file.name in duplicates:
            findings.append(
                file_finding("file_twice", source.name, ", ".join(duplicates[file.name]))
            )
        elif file is not None:
            match, reported = _match_columns(layout, file, source, strict)
            findings += reported
            if match is not None:
                files[file.name] = match
        elif source.name.casefold() != IDS:
            findings.append(file_finding("unknown_file", source.name, strict=strict))
    refused = {
        comparable_name(PurePath(name).stem) for part in findings for name in part.fatal["file"]
    }
    broken = {
        *(file.name for name in raw.broken if (file := file_by_name(layout, name))),
        *duplicates,
        *(
            file.name
            for file in layout.files
            if file.name not in files
            and refused.intersection(comparable_name(name) for name in (file.name, *file.names))
        ),
    }
    findings += [
        file_finding("file_alone", match.raw.name, f"{match.file.beside}.csv")
        for match in files.values()
        if match.filled and match.file.beside and match.file.beside not in files
    ]
    findings += [
        file_finding("layout_file_missing", "", f"{file.name}.csv, of {layout.code}")
        for file in layout.files
        if file.needed and file.name not in files
    ]
    in_order = {file.name: files[file.name] for file in layout.files if file.name in files}
    return LayoutMatch(in_order, frozenset(broken), findings)


def _duplicates(layout: Layout, raw: Raw) -> dict[str, list[str]]:
    """The files of the layout that match several files of the drop, with the names of those.

    Nobody knows which of them is meant.
    """
    names: dict[str, list[str]] = {}
    for source in raw.files.values():
        if file := file_by_name(layout, source.name):
            names.setdefault(file.name, []).append(source.name)
    return {name: sources for name, sources in names.items() if len(sources) > 1}


def _match_columns(
    layout: Layout, file: File, source: RawFile, strict: bool
) -> tuple[MatchedFile | None, list[Findings]]:
    """Match one file; None if a required column is missing."""
    declared = layout.columns_of(file)
    cells = match_header(file, declared, source.header)
    missing = [name for name in file.required if name not in cells]
    unread = [cell for cell in source.header if cell and cell not in cells.values()]
    unknown = [cell for cell in unread if not _is_ignored(file, cell)]
    ignored = [cell for cell in unread if _is_ignored(file, cell) and source.frame[cell].count()]
    free = [name for name in declared if name not in cells]
    findings = [
        *(_missing_column(source.name, name, unknown) for name in missing),
        *(
            file_finding(
                "header_unknown", source.name, _suggestion(cell, free), column=cell, strict=strict
            )
            for cell in unknown
        ),
        # Neither the declared spelling nor one of its aliases.
        *(
            file_finding("header_renamed", source.name, f"{cell!r}", column=column, strict=strict)
            for column, cell in cells.items()
            if cell not in (column, *file.aliases.get(column, ()))
        ),
    ]
    if ignored:
        names = ", ".join(ignored)
        findings.append(file_finding("column_ignored", source.name, names, count=len(ignored)))
    if missing:
        return None, findings
    columns = (
        pl.col(cells[name]).alias(name) if name in cells else pl.lit(None, pl.String).alias(name)
        for name in declared
    )
    return MatchedFile(file, source, cells, source.frame.select(ROW, *columns)), findings


def match_header(file: File, declared: tuple[str, ...], header: tuple[str, ...]) -> dict[str, str]:
    """Return which column of the header each declared column is: declared name -> name in the file.

    A column matches by its exact name, by its name without case and separators, or by an alias.
    """
    spellings = {comparable_name(cell): cell for cell in reversed(header) if cell}
    found: dict[str, str] = {}
    for name in declared:
        for spelling in (name, *file.aliases.get(name, ())):
            cell = spelling if spelling in header else spellings.get(comparable_name(spelling))
            if cell is not None and cell not in found.values():
                found[name] = cell
                break
    return found


def _is_ignored(file: File, cell: str) -> bool:
    return any(
        fnmatchcase(comparable_name(cell), comparable_name(pattern)) for pattern in file.ignored
    )


def _missing_column(file: str, column: str, unknown: list[str]) -> Findings:
    instead = f"found instead: {', '.join(unknown)}" if unknown else ""
    suggestion = _suggestion(column, unknown, _MISSING)
    return file_finding("header_missing", file, suggestion or instead, column=column)


def _suggestion(name: str, others: list[str], similarity: float = _UNKNOWN) -> str:
    """Suggest the most similar of other names; blank if none is similar enough."""
    close = difflib.get_close_matches(
        comparable_name(name), [comparable_name(one) for one in others], 1, similarity
    )
    return next((f"did you mean {one!r}?" for one in others if comparable_name(one) in close), "")


@dataclass(frozen=True)
class Fit:
    """How well a layout fits a drop."""

    found: tuple[str, ...] = ()  # needed files that the drop has
    lacking: tuple[str, ...] = ()  # needed files and required columns that it does not have

    @property
    def fits(self) -> bool:
        """Whether the drop has everything that the layout needs."""
        return bool(self.found) and not self.lacking


def fit_of(layout: Layout, raw: Raw) -> Fit:
    """Compare a drop with the files that a layout needs, and their required columns."""
    there = {
        file.name: source
        for source in raw.files.values()
        if (file := file_by_name(layout, source.name))
    }
    broken = {file.name for name in raw.broken if (file := file_by_name(layout, name))}
    found: list[str] = []
    lacking: list[str] = []
    needed = [file for file in layout.files if file.needed]
    for file in needed or [file for file in layout.files if file.required and file.name in there]:
        source = there.get(file.name)
        if source is None:
            (found if file.name in broken else lacking).append(f"{file.name}.csv")
            continue
        cells = match_header(file, layout.columns_of(file), source.header)
        missing = [name for name in file.required if name not in cells]
        lacking += [f"{name} in {source.name}" for name in missing]
        found += [] if missing else [f"{source.name} with {', '.join(file.required)}"]
    return Fit(tuple(found), tuple(lacking))
