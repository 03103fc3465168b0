"""Normalize a drop in a declared layout: step 2 of the pipeline, for every layout but OneRoster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from transforms.binding.spelling import clean_cells
from transforms.findings import ROW, SPAN, Findings, file_finding, merge_findings, row_findings
from transforms.layouts.assemble import DERIVED, EntityRows, RowsByEntity, assemble, unmatched_joins
from transforms.layouts.cleaned_cells import cleaned_cells
from transforms.layouts.complete import (
    CLASS_ROLE,
    contradicted_deletions,
    merge_demographics,
    merge_people,
    several_grades,
    with_district,
    with_district_id,
    with_ids,
    with_one_period,
    with_primary_roles,
    with_primary_teachers,
    with_roles_from_classes,
    with_school_of_class,
    with_years,
    without_superseded_deletions,
)
from transforms.layouts.layout import Layout, Rows
from transforms.layouts.match import LayoutMatch, match_files
from transforms.layouts.options import ReadingOptions
from transforms.layouts.people import with_one_name
from transforms.layouts.ranges import set_ids_apart
from transforms.layouts.renames import restore_old_ids
from transforms.layouts.source_ids import escape_source_ids
from transforms.layouts.spreadsheets import check_spreadsheet_damage
from transforms.layouts.time_zone import without_zone
from transforms.roster import Raw, Roster, SnapshotMode, Table
from transforms.schemas import ENTITIES, Entity
from transforms.secrets import remove_passwords

# How records without a sourcedId get one: the kind of id, and the columns that identify a record.
ID_COLUMNS = {
    "roles": ("role", ("userSourcedId", "orgSourcedId", "role")),
    "enrollments": ("enrollment", ("classSourcedId", "userSourcedId", "role")),
}


def normalize_declared(layout: Layout, raw: Raw, dialect: ReadingOptions) -> Roster:
    """Convert a drop to a roster in OneRoster 1.2's columns and spelling."""
    match = match_files(layout, raw, dialect.strict)
    frames = layout.prepare({name: one.frame for name, one in match.files.items()}, dialect)
    assembled = assemble(layout, match.files, frames, dialect)
    renames = restore_old_ids(assembled, layout, match, dialect)
    parts, completing = complete(layout, renames.parts, dialect)
    tables = {name: _table(name, part, layout, match, dialect) for name, part in parts.items()}
    tables = {name: table for name, table in tables.items() if _is_kept(table, layout, match)}
    tables, passwords = remove_passwords(tables, dialect.secrets)
    names = {name: one.raw.name for name, one in match.files.items()}
    findings = merge_findings(
        [
            _with_entity(raw.findings, tables),
            *match.findings,
            *renames.findings,
            *unmatched_joins(layout, match.files),
            *cleaned_cells(match.files),
            *without_zone(layout, match.files, dialect),
            *layout.report(frames, names, dialect),
            *_unusable_files(layout, match),
            *_empty_files(match, dialect.strict),
            *completing,
            *passwords,
        ]
    )
    broken = frozenset(
        rows.entity for file in layout.files if file.name in match.broken for rows in file.gives
    )
    return Roster(
        tables,
        broken,
        findings,
        {key: names for one in match.files.values() for key, names in one.spelt.items()},
        renames.renamed,
        cross_listed=layout.cross_lists(frames, dialect),
        salted=dialect.digests.made,
        contested=parts["users"].contested if "users" in parts else frozenset(),
        today=dialect.today,
    )


def complete(
    layout: Layout, parts: RowsByEntity, dialect: ReadingOptions
) -> tuple[RowsByEntity, list[Findings]]:
    """Clean the cells, and add what the layout implies: orgs, school years, roles and ids."""
    steps: list[Callable[[RowsByEntity], tuple[RowsByEntity, list[Findings]]]] = [
        _described_once,
        lambda parts: (_with_clean_cells(parts), []),
        lambda parts: check_spreadsheet_damage(parts, dialect.repair),
        escape_source_ids,
        _with_names,
        lambda parts: set_ids_apart(parts, layout, dialect),
        *([lambda parts: with_district(parts, dialect)] if layout.district else []),
        lambda parts: (with_district_id(parts, dialect), []),
        lambda parts: with_years(_with_class_type(parts, dialect), dialect),
        with_school_of_class,
        *([with_roles_from_classes] if layout.roles_from_enrollments else []),
        lambda parts: _with_people(parts, dialect),
    ]
    findings: list[Findings] = []
    for step in steps:
        parts, reported = step(parts)
        findings += reported
    if "roles" in parts:
        parts = parts | {"roles": with_primary_roles(parts["roles"])}
    if "enrollments" in parts:
        enrollments = with_primary_teachers(parts["enrollments"])
        enrollments = with_one_period(enrollments) if layout.enrolled_once else enrollments
        parts = parts | {"enrollments": enrollments}
    parts = {
        name: with_ids(part, *ID_COLUMNS[name]) if name in ID_COLUMNS else part
        for name, part in parts.items()
    }
    findings += [contradicted_deletions(part, name) for name, part in parts.items()]
    return {
        name: part.having(without_superseded_deletions(part.frame)) for name, part in parts.items()
    }, findings


def _described_once(parts: RowsByEntity) -> tuple[RowsByEntity, list[Findings]]:
    """Keep derived records once, as their first row describes them; report rows that differ."""
    done, findings = {}, []
    for name, part in parts.items():
        cells = [one for one in part.frame.columns if not one.startswith("#")]
        derived = part.frame.filter(
            pl.col(DERIVED) & pl.col("sourcedId").is_not_null()
        ).with_columns(pl.col(cells).str.normalize("NFC"))
        # Sorted, so that another order of rows makes no difference.
        first = derived.sort(pl.col(ROW) // SPAN, *cells, nulls_last=True).unique(
            "sourcedId", keep="first", maintain_order=True
        )
        if first.height < derived.height:
            other = derived.unique(cells, keep="first", maintain_order=True)
            other = other.join(first.select(ROW), on=ROW, how="anti", maintain_order="left")
            findings.append(
                row_findings(
                    "described_twice", other, file=part.file, entity=name, value="sourcedId"
                )
            )
        frame = part.frame
        if derived.height:
            rest = frame.filter(~pl.col(DERIVED))
            frame = pl.concat([rest, first]).sort(ROW, maintain_order=True)
        without_id = pl.col(DERIVED) & pl.col("sourcedId").is_null()
        done[name] = part.having(frame.filter(~without_id))
    return done, findings


def _with_clean_cells(parts: RowsByEntity) -> RowsByEntity:
    """Clean the cells as in OneRoster's own files, so that an export reads back the same.

    `cleaned_cells` reports them.
    """
    return {
        name: part.having(clean_cells(ENTITIES[name], part.frame, part.file)[0])
        for name, part in parts.items()
    }


def _with_class_type(parts: RowsByEntity, dialect: ReadingOptions) -> RowsByEntity:
    if "classes" not in parts:
        return parts
    part = parts["classes"]
    class_type = pl.col("classType").fill_null(dialect.class_type)
    return parts | {"classes": part.having(part.frame.with_columns(class_type), "classType")}


def _with_names(parts: RowsByEntity) -> tuple[RowsByEntity, list[Findings]]:
    if "users" not in parts:
        return parts, []
    part, findings = with_one_name(parts["users"])
    return parts | {"users": part}, findings


def _with_people(
    parts: RowsByEntity, dialect: ReadingOptions
) -> tuple[RowsByEntity, list[Findings]]:
    findings: list[Findings] = []
    contradictory = pl.Series("sourcedId", dtype=pl.String)
    if "users" in parts:
        made = dialect.digests.ids
        part, findings, contradictory = merge_people(
            parts["users"], parts.get("demographics"), made
        )
        parts = parts | {"users": part}
        findings = [*findings, several_grades(part)]
    if "demographics" in parts:
        part, reported = merge_demographics(parts["demographics"], contradictory)
        parts, findings = parts | {"demographics": part}, [*findings, *reported]
    return parts, findings


def _table(
    name: str, part: EntityRows, layout: Layout, match: LayoutMatch, dialect: ReadingOptions
) -> Table:
    """Make the table of an entity; its mode is `bulk` only if the drop has every record."""
    entity = ENTITIES[name]
    declared = [(file, rows) for file in layout.files for rows in file.gives if rows.entity == name]
    files = {file.name for file, _ in declared}
    snapshot = layout.snapshot if dialect.snapshot is None else dialect.snapshot
    complete = snapshot and not files & match.broken
    empty = part.frame.height + part.lost.height == 0
    mode: SnapshotMode = "bulk" if complete and not empty else "unknown"
    file = part.file or next(
        (source.raw.name for one, source in match.files.items() if one in files), entity.file
    )
    columns = (column.name for column in entity.current)
    extensions = (column for column in part.frame.columns if column.startswith("metadata."))
    frame = part.frame.select(
        ROW,
        *dict.fromkeys((*columns, *extensions)),
        *([CLASS_ROLE] if CLASS_ROLE in part.frame.columns else []),
    )
    return Table(
        entity,
        frame,
        file,
        mode,
        part.lost,
        part.said,
        emptied=complete and empty,
        fed=part.fed,
        keys=tuple(sorted({key for _, rows in declared for key in _keys(rows)})),
        # Each row lists all parts of its record, so a part that is not listed was removed.
        complete=entity.folds_into is not None
        and bool(declared)
        and all(rows.each for _, rows in declared),
        inferred=_inferred(entity, [rows for _, rows in declared]),
    )


def _inferred(entity: Entity, declared: list[Rows]) -> frozenset[str]:
    """The columns that no file of the layout has, such as the schools of enrollments."""
    return frozenset(
        column.name
        for column in entity.current
        if all(
            column.name not in rows.columns or rows.columns[column.name].inferred
            for rows in declared
        )
    )


def _keys(rows: Rows) -> set[str]:
    """The references that ids are made from.

    They read a column that the id reads, or they are in `ID_COLUMNS` if the rows have no id.
    """
    references = {column.name for column in ENTITIES[rows.entity].references}
    sourced_id = rows.columns.get("sourcedId")
    if sourced_id is None:
        return references.intersection(ID_COLUMNS[rows.entity][1])
    reads = sourced_id.reads if sourced_id.made else ()
    return {
        name
        for name in references & rows.columns.keys()
        if {*rows.columns[name].reads}.intersection(reads)
    }


def _is_kept(table: Table, layout: Layout, match: LayoutMatch) -> bool:
    """Whether a table has rows, or is empty in a snapshot or because of an empty needed file."""
    if table.frame.height or table.lost.height or table.emptied:
        return True
    return any(
        file.needed
        and file.name in match.files
        and not match.files[file.name].filled
        and any(rows.entity == table.entity.name for rows in file.gives)
        for file in layout.files
    )


def _unusable_files(layout: Layout, match: LayoutMatch) -> list[Findings]:
    """Refuse the drop if a needed file is there and cannot be used."""
    return [
        file_finding(
            "layout_file_missing",
            "",
            f"{file.name}.csv, of {layout.code}, is there and cannot be used",
        )
        for file in layout.files
        if file.needed and file.name in match.broken
    ]


def _empty_files(match: LayoutMatch, strict: bool) -> list[Findings]:
    """Report files without rows, and refuse the drop if no file has any."""
    empty = [source for source in match.files.values() if not source.filled]
    if match.files and len(empty) == len(match.files):
        return [file_finding("drop_empty", "")]
    return [
        file_finding(
            "no_rows" if source.file.needed else "no_rows_optional", source.raw.name, strict=strict
        )
        for source in empty
    ]


def _with_entity(findings: Findings, tables: dict[str, Table]) -> Findings:
    """Add the entity to errors in rows that do not fit their header: the first of their file."""
    entities: dict[str, str] = {}
    for name, table in tables.items():
        for file in table.file.split(", "):
            entities.setdefault(file, name)
    named = pl.col("file").replace_strict(
        entities, default=pl.col("entity"), return_dtype=pl.String
    )
    return replace(findings, errors=findings.errors.with_columns(entity=named))
