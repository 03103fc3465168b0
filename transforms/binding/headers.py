"""Headers: match the columns of a file with the columns of the standard, whatever their spelling.

Source: OneRoster 1.2 CSV Binding, section 3 (exact names, exact order, `metadata.*` last).
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from transforms.binding.names import comparable_name, near_names
from transforms.findings import Findings, file_finding
from transforms.payload import METADATA
from transforms.schemas import Column, Entity
from transforms.schemas.entity import Version

EXTENSION = re.compile(r"metadata\.[^.\s]+(\.[^.\s]+)*")
CLOSE = 0.8


@dataclass(frozen=True)
class HeaderMatch:
    """A file's header, matched with the columns of an entity."""

    # From each name in the file to a column of the entity, or to `metadata.*`; in the file's order.
    columns: dict[str, str]
    findings: list[Findings] = field(default_factory=list)


def match_header(
    entity: Entity,
    file: str,
    header: tuple[str, ...],
    version: Version,
    strict: bool,
    declared: Mapping[str, str] | None = None,
) -> HeaderMatch:
    """Match a header by name, and report every difference from the standard's header.

    `declared` says which columns of the file the feed file names, and what each of them is.
    """
    cells = [cell for cell in header if cell]
    chosen = {cell: name for cell, name in (declared or {}).items() if cell in cells}
    if "resourceSourcedIds" in cells and version == "1.2":
        version = "1.2.0"
    exact = {
        cell: cell
        for cell in cells
        if cell in entity.by_name and entity[cell].versions and cell not in chosen.values()
    }
    columns = {**exact, **_extensions(cells), **chosen}
    columns |= _other_spellings(entity, cells, columns)
    columns |= _near_names(entity, cells, columns, version)
    columns = {cell: columns[cell] for cell in cells if cell in columns}
    renamed = [
        file_finding("header_renamed", file, f"{cell!r}", column=column, strict=strict)
        for cell, column in columns.items()
        if cell != column
    ]
    findings = [
        *renamed,
        *_unexpected_columns(entity, file, cells, columns, version, strict),
        *_missing_columns(entity, file, cells, columns, version, strict),
        *_misplaced_column(entity, file, list(columns.values()), strict),
    ]
    return HeaderMatch(columns, findings)


def _extensions(cells: list[str]) -> dict[str, str]:
    """Match `metadata.*` columns, and `ext_*` columns, which some vendors write instead."""
    vendor = {cell: METADATA + cell for cell in cells if cell.startswith("ext_") and len(cell) > 4}
    return {cell: cell for cell in cells if EXTENSION.fullmatch(cell)} | vendor


def _other_spellings(entity: Entity, cells: list[str], columns: dict[str, str]) -> dict[str, str]:
    """Match the remaining columns without case and separators, or by names seen in real drops."""
    free = [
        column
        for column in entity.columns
        if column.versions and column.name not in columns.values()
    ]
    spellings = {
        comparable_name(name): column.name
        for column in free
        for name in (column.name, *column.aliases)
    }
    found: dict[str, str] = {}
    for cell in cells:
        name = spellings.get(comparable_name(cell))
        if cell not in columns and name and name not in found.values():
            found[cell] = name
    return found


def _near_names(
    entity: Entity, cells: list[str], columns: dict[str, str], version: Version
) -> dict[str, str]:
    """Match the remaining columns that are one letter off, or named as in the API (`orgs`).

    Each must be near to one column of the standard only, and no other column as near to that one.
    """
    free = [name for name in entity.header(version) if name not in columns.values()]
    near = {
        cell: {*near_names(cell, free), *(name for name in free if _is_called(cell, entity[name]))}
        for cell in cells
        if cell not in columns
    }
    claims = Counter(name for names in near.values() for name in names)
    return {
        cell: name
        for cell, names in near.items()
        for name in names
        if len(names) == 1 and claims[name] == 1
    }


def _is_called(cell: str, column: Column) -> bool:
    """Tell whether a reference has its name in the REST binding: `orgs` for `orgSourcedIds`."""
    return column.refers is not None and comparable_name(cell) == comparable_name(column.json)


def _unexpected_columns(
    entity: Entity,
    file: str,
    cells: list[str],
    columns: dict[str, str],
    version: Version,
    strict: bool,
) -> list[Findings]:
    """Report unknown columns, which are not read, and columns of other versions, which are."""
    free = [name for name in entity.header(version) if name not in columns.values()]
    unknown = [cell for cell in cells if cell not in columns]
    other_versions = [
        name
        for name in columns.values()
        if name in entity.by_name and version not in entity[name].versions
    ]
    return [
        *(
            file_finding(
                "header_unknown", file, _did_you_mean(cell, free), column=cell, strict=strict
            )
            for cell in unknown
        ),
        *(
            file_finding("header_version", file, column=name, strict=strict)
            for name in other_versions
        ),
    ]


def _did_you_mean(cell: str, names: list[str]) -> str:
    close = difflib.get_close_matches(
        comparable_name(cell), [comparable_name(name) for name in names], 1, CLOSE
    )
    return next((f"did you mean {name!r}?" for name in names if comparable_name(name) in close), "")


def _missing_columns(
    entity: Entity,
    file: str,
    cells: list[str],
    columns: dict[str, str],
    version: Version,
    strict: bool,
) -> list[Findings]:
    unread = [cell for cell in cells if cell not in columns]
    found_instead = f"found instead: {', '.join(unread)}" if unread else ""
    setting = f"if another column has its values, name it in [source.columns.{entity.name}]"
    missing = [entity[name] for name in entity.header(version) if name not in columns.values()]
    return [
        file_finding(
            "header_missing" if column.required else "header_optional_missing",
            file,
            "; ".join(
                part
                for part in (
                    _did_you_mean(column.name, unread) or found_instead,
                    setting if column.required and unread else "",
                )
                if part
            ),
            column=column.name,
            strict=strict,
            entity=entity.name,
        )
        for column in missing
    ]


def _misplaced_column(entity: Entity, file: str, names: list[str], strict: bool) -> list[Findings]:
    """Report the first column that comes later than the standard has it."""
    standard = [column.name for column in entity.columns if column.standard]
    ranks = [standard.index(name) if name in standard else len(standard) for name in names]
    for name, rank, next_rank in zip(names[1:], ranks, ranks[1:], strict=False):
        if next_rank < rank:
            return [file_finding("header_order", file, column=name, strict=strict)]
    return []
