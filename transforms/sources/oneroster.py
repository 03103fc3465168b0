"""OneRoster CSV, versions 1.0 to 1.2.1, bulk and delta.

Source: OneRoster 1.1 and 1.2 CSV Bindings (reference sections 1 and 2).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

import polars as pl

from transforms.binding.headers import Match, matched
from transforms.binding.manifest import FILE, Manifest, manifest_of
from transforms.binding.spelling import spelled
from transforms.binding.upgrade import lifted
from transforms.findings import ROW, Findings, gather, of_file
from transforms.layouts.layout import plain
from transforms.layouts.options import Dialect
from transforms.payload import METADATA
from transforms.renamed_ids import FILE as IDS
from transforms.roster import LOST, Mode, Raw, RawFile, Roster, Table
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.entity import Version
from transforms.secrets import passwords_dropped

MODES: dict[str, Mode] = {"bulk": "bulk", "delta": "delta"}


def normalise(raw: Raw, dialect: Dialect) -> Roster:
    """Give the drop as OneRoster 1.2."""
    strict = dialect.strict
    manifest, found = manifest_of(raw, strict)
    files, named = _files(raw, strict)
    tables: dict[str, Table] = {}
    for name, file in files.items():
        table, told = _table(
            ENTITIES[name], file, _mode(name, manifest, dialect.snapshot), manifest.version, strict
        )
        found += told
        if table is not None:
            tables[name] = table
    found += [*named, *_promises(raw, files, manifest, strict)]
    if dialect.snapshot and manifest.modes:
        found.append(
            of_file(
                "setting_idle",
                "",
                "`snapshot = true`, and the drop's manifest says itself which files hold all there is. Remove it",
            )
        )
    refused = gather([raw.findings, *found]).fatal.height > 0
    if not refused and not manifest.says_no_updates and not any(map(_has_rows, tables.values())):
        found.append(of_file("drop_empty", ""))
    tables, told = passwords_dropped(_current(lifted(tables, manifest.version)), dialect.secrets)
    findings = gather([_named(raw.findings, files, tables), *found, *told])
    return Roster(tables, _broken(raw, findings), findings, today=dialect.today)


def says_so(raw: Raw) -> bool:
    """Whether a drop says itself that it is OneRoster: by a manifest, or by the columns that each of its files begins with."""
    if any(name.casefold() == FILE for name in (*raw.files, *raw.broken)):
        return True
    ours = [file for file in raw.files.values() if _is_called(file.name)]
    return any(
        {"sourcedid", "status", "datelastmodified"} <= {cell.casefold() for cell in file.header}
        for file in ours
    )


def may_be(raw: Raw) -> bool:
    """Whether a drop has a file that is called as one of OneRoster's."""
    return any(_is_called(name) for name in (*raw.files, *raw.broken))


def has_ids(raw: Raw) -> bool:
    """Whether one of those files has the column that each of OneRoster's begins with."""
    files = (file for name, file in raw.files.items() if _is_called(name))
    return any("sourcedid" in map(plain, file.header) for file in files)


def _is_called(name: str) -> bool:
    stem = PurePath(name).stem.casefold()
    return any(
        stem in {one.casefold() for one in (entity.name, *entity.aliases)}
        for entity in ENTITIES.values()
    )


def _files(raw: Raw, strict: bool) -> tuple[dict[str, RawFile], list[Findings]]:
    """Find each entity's file, parents first; other names are reported."""
    names = {
        spelling.casefold(): entity.name
        for entity in ENTITIES.values()
        for spelling in (entity.name, *entity.aliases)
    }
    files, found = {}, []
    for file in raw.files.values():
        entity = names.get(PurePath(file.name).stem.casefold())
        if entity is not None:
            files[entity] = file
            if file.name != ENTITIES[entity].file:
                found.append(
                    of_file(
                        "file_name", file.name, f"read as {ENTITIES[entity].file}", strict=strict
                    )
                )
        elif file.name.casefold() not in (FILE, IDS):
            found.append(of_file("unknown_file", file.name, strict=strict))
    return {name: files[name] for name in ENTITIES if name in files}, found


def _mode(name: str, manifest: Manifest, snapshot: bool | None) -> Mode:
    """What a file is by its manifest or, where there is none, by the feed's file, which may also say that no drop holds all there is."""
    mode = MODES.get(manifest.modes.get(name, ""), "unknown")
    if snapshot is None or (snapshot and manifest.modes):
        return mode
    return "bulk" if snapshot else "unknown" if mode == "bulk" else mode


def _table(
    entity: Entity, file: RawFile, mode: Mode, version: Version, strict: bool
) -> tuple[Table | None, list[Findings]]:
    match = matched(entity, file.name, file.header, version, strict)
    if any(part.fatal.height for part in match.findings):
        return None, match.findings
    frame, told = spelled(entity, _columns(entity, file, match), file.name, strict)
    table = Table(
        entity,
        frame,
        file.name,
        mode,
        _lost(file, match),
        frozenset(match.columns.values()),
        named=True,
    )
    found = [*match.findings, *told]
    if _has_rows(table):
        return table, found
    # No rows are no snapshot: an export that came out empty must not delete a district.
    return replace(table, mode="unknown", emptied=table.mode == "bulk"), [
        *found,
        of_file("no_rows", file.name, strict=strict),
    ]


def _has_rows(table: Table) -> bool:
    return table.frame.height + table.lost.height > 0


def _columns(entity: Entity, file: RawFile, match: Match) -> pl.DataFrame:
    """Give the entity's columns of every version, then the extensions; a column that the file lacks is blank."""
    cells = {name: cell for cell, name in match.columns.items()}
    names = [column.name for column in entity.columns if column.versions]
    extensions = [name for name in cells if name.startswith(METADATA)]
    return file.frame.select(
        ROW,
        *(
            pl.col(cells[name]).alias(name)
            if name in cells
            else pl.lit(None, pl.String).alias(name)
            for name in dict.fromkeys((*names, *extensions))
        ),
    )


def _lost(file: RawFile, match: Match) -> pl.DataFrame:
    """The rows that do not fit the header, with the cell in the place of the sourcedId."""
    place = next(
        (file.header.index(cell) for cell, name in match.columns.items() if name == "sourcedId"),
        None,
    )
    ids = [
        cells[place].strip() if place is not None and place < len(cells) else ""
        for cells in file.ragged.values()
    ]
    return pl.DataFrame(
        {ROW: list(file.ragged), "sourcedId": [value or None for value in ids]}, schema=LOST
    )


def _promises(
    raw: Raw, files: dict[str, RawFile], manifest: Manifest, strict: bool
) -> list[Findings]:
    """Hold what the manifest says of each file against the files that are there."""
    found = []
    there = {*files, *(PurePath(name).stem for name in raw.broken)}
    for name, entity in ENTITIES.items():
        mode = manifest.modes.get(name, "absent")
        if mode in MODES and name not in there:
            found.append(of_file("manifest_file_missing", entity.file))
        elif manifest.modes and mode not in MODES and name in there:
            found.append(of_file("manifest_file_unexpected", entity.file, strict=strict))
    return found


def _current(tables: dict[str, Table]) -> dict[str, Table]:
    """Drop the columns that only older versions have."""
    kept = {}
    for name, table in tables.items():
        names = [column.name for column in table.entity.current]
        extensions = [column for column in table.frame.columns if column.startswith(METADATA)]
        kept[name] = replace(
            table, frame=table.frame.select(ROW, *dict.fromkeys((*names, *extensions)))
        )
    return kept


def _named(findings: Findings, files: dict[str, RawFile], tables: dict[str, Table]) -> Findings:
    """Tell whose the rows are that did not fit their header, as far as can be told."""
    entities = {file.name: name for name, file in files.items()}
    lost = [
        table.lost.select(ROW, told="sourcedId", file=pl.lit(table.file))
        for table in tables.values()
    ]
    errors = findings.errors.with_columns(
        entity=pl.col("file").replace_strict(
            entities, default=pl.col("entity"), return_dtype=pl.String
        )
    )
    if lost:
        errors = errors.join(
            pl.concat(lost),
            left_on=["file", "row"],
            right_on=["file", ROW],
            how="left",
            maintain_order="left",
        )
        errors = errors.with_columns(pl.col("sourcedId").fill_null(pl.col("told"))).drop("told")
    return Findings(errors, findings.notices)


def _broken(raw: Raw, findings: Findings) -> frozenset[str]:
    """The entities whose file is there, or was promised, and could not be read."""
    stems = {PurePath(name).stem.casefold() for name in {*raw.broken, *findings.fatal["file"]}}
    return frozenset(name for name in ENTITIES if name.casefold() in stems)
