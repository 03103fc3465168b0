"""OneRoster CSV, versions 1.0 to 1.2.1, bulk and delta.

Source: OneRoster 1.1 and 1.2 CSV Bindings (reference sections 1 and 2).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

import polars as pl

from transforms.binding.dates import read_dates
from transforms.binding.days import read_days
from transforms.binding.headers import HeaderMatch, match_header
from transforms.binding.manifest import FILE, Manifest, read_manifest
from transforms.binding.names import comparable_name, entity_of_file
from transforms.binding.spelling import normalize_spelling
from transforms.binding.upgrade import upgrade_tables
from transforms.findings import ROW, Findings, file_finding, merge_findings, row_findings
from transforms.layouts.layout import File, Layout
from transforms.layouts.options import ReadingOptions
from transforms.layouts.source_ids import escape_ids_of_tables
from transforms.payload import METADATA
from transforms.renamed_ids import FILE as IDS
from transforms.roster import LOST_COLUMNS, Raw, RawFile, Roster, SnapshotMode, Table
from transforms.schemas import ENTITIES, LIFECYCLE, Entity
from transforms.schemas.entity import Version
from transforms.schemas.vocabularies import TOBEDELETED
from transforms.secrets import remove_passwords

MODES: dict[str, SnapshotMode] = {"bulk": "bulk", "delta": "delta"}


def normalize_oneroster(raw: Raw, dialect: ReadingOptions) -> Roster:
    """Convert a drop of any OneRoster version to 1.2."""
    strict = dialect.strict
    manifest, findings = read_manifest(raw, strict)
    files, names = _files(raw, strict)
    tables: dict[str, Table] = {}
    for name, file in files.items():
        mode = _mode(name, manifest, dialect.snapshot)
        table, reported = _table(ENTITIES[name], file, mode, manifest.version, dialect, raw)
        findings += reported
        if table is not None:
            tables[name] = table
    findings += [
        *names,
        *_compare_with_manifest(raw, files, manifest, strict),
        *_idle_columns(files, dialect),
    ]
    if dialect.snapshot and manifest.modes:
        findings.append(
            file_finding(
                "setting_idle",
                "",
                "`snapshot = true`, and the drop's manifest says itself which files hold all "
                "there is. Remove it",
            )
        )
    refused = merge_findings([raw.findings, *findings]).fatal.height > 0
    if not refused and not manifest.says_no_updates and not any(map(_has_rows, tables.values())):
        # One finding says it for all files.
        findings = [*map(_without_empty_files, findings), file_finding("drop_empty", "")]
    tables, named = _with_titles(_current(upgrade_tables(tables, manifest.version)), strict)
    if dialect.escape_ids:
        tables, escaped = escape_ids_of_tables(tables)
        findings += escaped
    tables, passwords = remove_passwords(tables, dialect.secrets)
    ragged = _with_ids(raw.findings, files, tables)
    gathered = merge_findings([ragged, *findings, named, *passwords])
    return Roster(tables, _broken(raw, gathered), gathered, today=dialect.today)


def _without_empty_files(findings: Findings) -> Findings:
    notices = (one for one in findings.notices if one.rule not in ("no_rows", "no_rows_optional"))
    return replace(findings, notices=tuple(notices))


def renamed(raw: Raw, layout: Layout) -> Raw:
    """Give files and columns the standard's names, where a mapping file says which they are.

    A file or a column that has a name of the standard keeps it. Findings about files with other
    names get the entity, since only that says whether every roster needs the file.
    """
    standard = {
        comparable_name(name): file for file in layout.files for name in (file.name, *file.names)
    }
    meant = {
        name: file
        for name in (*raw.files, *raw.broken)
        if (file := standard.get(comparable_name(PurePath(name).stem)))
    }
    errors = raw.findings.errors.with_columns(
        entity=pl.col("file").replace_strict(
            {name: file.name for name, file in meant.items()},
            default=pl.col("entity"),
            return_dtype=pl.String,
        )
    )
    return replace(
        raw,
        files={
            name: _renamed(one, meant[name]) if name in meant else one
            for name, one in raw.files.items()
        },
        broken=frozenset(
            f"{meant[name].name}.csv" if name in meant else name for name in raw.broken
        ),
        findings=replace(raw.findings, errors=errors),
    )


def _renamed(raw: RawFile, file: File) -> RawFile:
    """Rename the first column with an alias of each column that the header does not have."""
    names: dict[str, str] = {}
    for column, aliases in file.aliases.items():
        known = {comparable_name(alias) for alias in aliases}
        cell = next((cell for cell in raw.header if comparable_name(cell) in known), None)
        if cell and column not in raw.header and cell in raw.frame.columns:
            names[cell] = column
    return replace(
        raw,
        frame=raw.frame.rename(names),
        header=tuple(names.get(cell, cell) for cell in raw.header),
        stands_for=file.name,
    )


def is_certain(raw: Raw) -> bool:
    """Whether a drop is certainly OneRoster: it has a manifest, or OneRoster's first columns."""
    if any(name.casefold() == FILE for name in (*raw.files, *raw.broken)):
        return True
    return any(
        {"sourcedid", "status", "datelastmodified"} <= {cell.casefold() for cell in file.header}
        for file in raw.files.values()
        if entity_of_file(file.name)
    )


def has_usable_file(raw: Raw) -> bool:
    """Whether a file with the name of a OneRoster file has its required columns, or is damaged.

    Many systems have a `users.csv` or a `courses.csv` with columns of their own.
    """
    if any(entity_of_file(name) for name in raw.broken):
        return True
    version = read_manifest(raw, strict=False)[0].version
    return any(
        not any(
            part.fatal.height
            for part in match_header(
                ENTITIES[entity], file.name, file.header, version, strict=False
            ).findings
        )
        for file in raw.files.values()
        if (entity := entity_of_file(file.name))
    )


def has_sourced_ids(raw: Raw) -> bool:
    """Whether a drop has a file with the name of a OneRoster file and a `sourcedId` column."""
    files = (file for name, file in raw.files.items() if entity_of_file(name))
    return any("sourcedid" in map(comparable_name, file.header) for file in files)


def _files(raw: Raw, strict: bool) -> tuple[dict[str, RawFile], list[Findings]]:
    """Find each entity's file, parents first, and report other names."""
    files: dict[str, RawFile] = {}
    findings = []
    # If several files are read as one, the standard's name comes first, and the others stay unread.
    for file in sorted(raw.files.values(), key=_is_nickname):
        entity = entity_of_file(file.stands_for or file.name)
        if entity is not None and entity not in files:
            files[entity] = file
            if file.name != ENTITIES[entity].file:
                detail = f"read as {ENTITIES[entity].file}"
                findings.append(file_finding("file_name", file.name, detail, strict=strict))
        elif file.name.casefold() not in (FILE, IDS):
            findings.append(file_finding("unknown_file", file.name, strict=strict))
    return {name: files[name] for name in ENTITIES if name in files}, findings


def _idle_columns(files: dict[str, RawFile], dialect: ReadingOptions) -> list[Findings]:
    """Refuse names of columns in the feed file that a file does not have."""
    return [
        file_finding(
            "setting_idle",
            "",
            f"`columns.{name}` names {cell!r}, which {files[name].name} does not have. "
            "Correct its name, or remove it",
        )
        for name, cells in dialect.columns.items()
        if name in files
        for cell in cells
        if cell not in files[name].header
    ]


def _is_nickname(file: RawFile) -> bool:
    return file.name.casefold() not in {entity.file.casefold() for entity in ENTITIES.values()}


def _mode(name: str, manifest: Manifest, snapshot: bool | None) -> SnapshotMode:
    """Return the mode of a file by the manifest, or by the feed file if there is no manifest.

    `snapshot` of the feed file can make every file partial, whatever the manifest says.
    """
    mode = MODES.get(manifest.modes.get(name, ""), "unknown")
    if snapshot is None or (snapshot and manifest.modes):
        return mode
    return "bulk" if snapshot else "unknown" if mode == "bulk" else mode


def _table(
    entity: Entity,
    file: RawFile,
    mode: SnapshotMode,
    version: Version,
    dialect: ReadingOptions,
    raw: Raw,
) -> tuple[Table | None, list[Findings]]:
    strict = dialect.strict
    declared = dialect.columns.get(entity.name)
    match = match_header(entity, file.name, file.header, version, strict, declared)
    if any(part.fatal.height for part in match.findings):
        return None, match.findings
    frame, days = _columns(entity, file, match), list[Findings]()
    if raw.rest:
        frame, days = read_days(entity, frame, file.name, raw.zone, strict)
    frame, spelling = normalize_spelling(entity, frame, file.name, strict)
    if mode == "bulk":
        # The check reports that they are filled at all.
        spelling = [
            one for one in spelling if not {part.column for part in one.notices} & {*LIFECYCLE}
        ]
    if not strict:
        frame, dates = read_dates(entity, frame, file.name, dialect.date_order, dialect.today)
        spelling += dates
    table = Table(
        entity,
        frame,
        file.name,
        mode,
        _lost(file, match),
        frozenset(match.columns.values()),
        named=True,
        rest=raw.rest,
    )
    findings = [*match.findings, *days, *spelling]
    if _has_rows(table):
        return table, findings
    # An empty file is not a snapshot: a failed export must not delete a district.
    rule = "no_rows" if _needs(entity) else "no_rows_optional"
    findings.append(file_finding(rule, file.name, strict=strict))
    return replace(table, mode="unknown", emptied=table.mode == "bulk"), findings


def _needs(entity: Entity) -> bool:
    """Whether every roster has rows of this file; a user needs a role."""
    return entity.needed or entity.name == "roles"


def _is_filled(file: RawFile) -> bool:
    return file.frame.height + len(file.ragged) > 0


def _has_rows(table: Table) -> bool:
    return table.frame.height + table.lost.height > 0


def _columns(entity: Entity, file: RawFile, match: HeaderMatch) -> pl.DataFrame:
    """The entity's columns of every version, blank where the file has none, and the extensions."""
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


def _lost(file: RawFile, match: HeaderMatch) -> pl.DataFrame:
    """The rows that do not fit the header, with the cell at the position of the sourcedId."""
    at = next(
        (file.header.index(cell) for cell, name in match.columns.items() if name == "sourcedId"),
        None,
    )
    ids = [
        cells[at].strip() if at is not None and at < len(cells) else ""
        for cells in file.ragged.values()
    ]
    return pl.DataFrame(
        {ROW: list(file.ragged), "sourcedId": [value or None for value in ids]}, schema=LOST_COLUMNS
    )


def _compare_with_manifest(
    raw: Raw, files: dict[str, RawFile], manifest: Manifest, strict: bool
) -> list[Findings]:
    """Report files that the manifest lists and the drop does not have, and the other way around."""
    findings = []
    present = {*files, *map(entity_of_file, raw.broken)}
    for name, entity in ENTITIES.items():
        mode = manifest.modes.get(name, "absent")
        if mode in MODES and name not in present:
            findings.append(file_finding("manifest_file_missing", entity.file))
        elif manifest.modes and mode not in MODES and name in present:
            if not strict and name in files and not _is_filled(files[name]) and not _needs(entity):
                continue  # an empty file is as good as none, and is noted
            findings.append(file_finding("manifest_file_unexpected", entity.file, strict=strict))
    return findings


def _current(tables: dict[str, Table]) -> dict[str, Table]:
    """Remove the columns that only older versions have."""
    kept = {}
    for name, table in tables.items():
        names = [column.name for column in table.entity.current]
        extensions = [column for column in table.frame.columns if column.startswith(METADATA)]
        kept[name] = replace(
            table, frame=table.frame.select(ROW, *dict.fromkeys((*names, *extensions)))
        )
    return kept


def _with_titles(tables: dict[str, Table], strict: bool) -> tuple[dict[str, Table], Findings]:
    """Give classes without a title that of their course, as other layouts do, and report them."""
    classes, courses = tables.get("classes"), tables.get("courses")
    if strict or classes is None or courses is None or not classes.frame["title"].null_count():
        return tables, Findings()
    titles = (
        courses.frame.select(courseSourcedId="sourcedId", course="title")
        .drop_nulls()
        .unique()
        .unique("courseSourcedId", keep="none")
    )
    frame = classes.frame.join(titles, on="courseSourcedId", how="left", maintain_order="left")
    untitled = frame.filter(
        pl.col("title").is_null()
        & pl.col("course").is_not_null()
        & ~pl.col("status").eq_missing(TOBEDELETED)
    )
    found = row_findings(
        "title_of_course",
        untitled,
        file=classes.file,
        entity="classes",
        column="title",
        value="course",
    )
    frame = frame.with_columns(title=pl.coalesce("title", "course")).drop("course")
    return tables | {"classes": replace(classes, frame=frame)}, found


def _with_ids(findings: Findings, files: dict[str, RawFile], tables: dict[str, Table]) -> Findings:
    """Add the entity and a known sourcedId to errors in rows that do not fit their header."""
    entities = {file.name: name for name, file in files.items()}
    lost = [
        table.lost.select(ROW, lostId="sourcedId", file=pl.lit(table.file))
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
        errors = errors.with_columns(pl.col("sourcedId").fill_null(pl.col("lostId")))
        errors = errors.drop("lostId")
    return Findings(errors, findings.notices)


def _broken(raw: Raw, findings: Findings) -> frozenset[str]:
    """The entities whose file is in the drop, or listed in the manifest, and could not be read."""
    fatal = findings.fatal
    files = {*raw.broken, *fatal["file"]}
    named = {name for file in files if (name := entity_of_file(file)) is not None}
    return frozenset(named | {*fatal["entity"].drop_nulls()})
