"""A drop in a declared layout -> a roster: step 2 of the straight line, for every layout but OneRoster's own."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.binding.spelling import cleaned
from transforms.findings import ROW, SPAN, Findings, gather, of_file, of_rows
from transforms.layouts.assemble import DERIVED, Part, Parts, assembled, leading_nowhere
from transforms.layouts.complete import (
    OF,
    once,
    people,
    roles_in_order,
    still_here,
    teaching_once,
    with_district,
    with_district_named,
    with_ids,
    with_roles,
    with_schools,
    with_years,
)
from transforms.layouts.ids import without_prefix
from transforms.layouts.layout import Layout, Rows
from transforms.layouts.match import Matched, matched
from transforms.layouts.options import Dialect
from transforms.layouts.renames import with_old_ids
from transforms.layouts.spreadsheets import mended
from transforms.roster import Mode, Raw, Roster, Table
from transforms.schemas import ENTITIES
from transforms.secrets import passwords_dropped

# What a record without an id of its own is known by.
KEYS = {
    "roles": ("role", ("userSourcedId", "orgSourcedId", "role")),
    "enrollments": ("enrollment", ("classSourcedId", "userSourcedId", "role")),
}


def normalised(layout: Layout, raw: Raw, dialect: Dialect) -> Roster:
    """Give the drop as OneRoster 1.2."""
    match = matched(layout, raw, dialect.strict)
    renames = with_old_ids(
        assembled(layout, match.files, dialect),
        layout,
        match,
        without_prefix(dialect.renamed, dialect.prefix),
    )
    parts, found = completed(layout, renames.parts, dialect)
    found = [
        *match.findings,
        *renames.findings,
        *leading_nowhere(layout, match.files),
        *_needed(layout, match),
        *_emptied(match, dialect.strict),
        *found,
    ]
    tables = {name: _table(name, part, layout, match, dialect) for name, part in parts.items()}
    tables = {
        name: table for name, table in tables.items() if _says_something(table, layout, match)
    }
    tables, told = passwords_dropped(tables, dialect.secrets)
    broken = frozenset(
        one.entity for file in layout.files if file.name in match.broken for one in file.gives
    )
    spelt = {key: cells for one in match.files.values() for key, cells in one.spelt.items()}
    return Roster(
        tables,
        broken,
        gather([_named(raw.findings, tables), *found, *told]),
        spelt,
        renames.renamed,
        salted=dialect.digests.made,
        today=dialect.today,
    )


def completed(layout: Layout, parts: Parts, dialect: Dialect) -> tuple[Parts, list[Findings]]:
    """Add to what the files say what the layout leaves to be understood."""
    found: list[Findings] = []
    for step in (_described_once, _cells_in_common, lambda parts: mended(parts, dialect.repair)):
        parts, told = step(parts)
        found += told
    if layout.district:
        parts, told = with_district(parts, dialect)
        found += told
    parts = with_district_named(parts, dialect)
    parts, told = with_years(_with_class_type(parts, dialect), dialect)
    found += told
    for step in (
        with_schools,
        *([with_roles] if layout.roles_from_enrollments else []),
        _with_people,
    ):
        parts, told = step(parts)
        found += told
    if "roles" in parts:
        parts = parts | {"roles": roles_in_order(parts["roles"])}
    if "enrollments" in parts:
        parts = parts | {"enrollments": teaching_once(parts["enrollments"])}
    parts = {
        name: with_ids(part, *KEYS[name]) if name in KEYS else part for name, part in parts.items()
    }
    return {name: part.having(still_here(part.frame)) for name, part in parts.items()}, found


def _described_once(parts: Parts) -> tuple[Parts, list[Findings]]:
    """Give records that many rows describe once, as the first row does; what others say of them is told."""
    done, found = {}, []
    for name, part in parts.items():
        many = part.frame.filter(pl.col(DERIVED) & pl.col("sourcedId").is_not_null())
        cells = [one for one in part.frame.columns if not one.startswith("#")]
        # The order of rows may be another tomorrow, and what is taken of them must not.
        first = many.sort(pl.col(ROW) // SPAN, *cells, nulls_last=True).unique(
            "sourcedId", keep="first", maintain_order=True
        )
        if first.height < many.height:
            other = many.unique(cells, keep="first", maintain_order=True)
            other = other.join(first.select(ROW), on=ROW, how="anti", maintain_order="left")
            found.append(
                of_rows("described_twice", other, file=part.file, entity=name, value="sourcedId")
            )
        rest = part.frame.filter(~pl.col(DERIVED))
        done[name] = (
            part.having(pl.concat([rest, first]).sort(ROW, maintain_order=True))
            if many.height
            else part
        )
        nameless = done[name].frame.filter(~(pl.col(DERIVED) & pl.col("sourcedId").is_null()))
        done[name] = done[name].having(nameless)
    return done, found


def _cells_in_common(parts: Parts) -> tuple[Parts, list[Findings]]:
    """Read every cell as OneRoster's own are read, so that an export that is read again is the same roster."""
    done, found = {}, []
    for name, part in parts.items():
        frame, told = (
            cleaned(ENTITIES[name], part.frame, part.file)
            if part.frame.height
            else (part.frame, [])
        )
        done[name] = part.having(frame)
        found += told
    return done, found


def _with_class_type(parts: Parts, dialect: Dialect) -> Parts:
    if "classes" not in parts:
        return parts
    part = parts["classes"]
    kind = pl.col("classType").fill_null(dialect.class_type)
    return parts | {"classes": part.having(part.frame.with_columns(kind), "classType")}


def _with_people(parts: Parts) -> tuple[Parts, list[Findings]]:
    found: list[Findings] = []
    for name, step in (("users", people), ("demographics", once)):
        if name in parts:
            part, told = step(parts[name])
            parts = parts | {name: part}
            found += told
    return parts, found


def _table(name: str, part: Part, layout: Layout, match: Matched, dialect: Dialect) -> Table:
    """Make a table of a part; what is missing from it is gone only if the drop holds all there is."""
    givers = {file.name for file in layout.files if any(one.entity == name for one in file.gives)}
    snapshot = layout.snapshot if dialect.snapshot is None else dialect.snapshot
    whole = snapshot and not givers & match.broken
    names = [column.name for column in ENTITIES[name].current]
    extensions = [column for column in part.frame.columns if column.startswith("metadata.")]
    empty = part.frame.height + part.lost.height == 0
    file = part.file or next(
        (found.raw.name for giver, found in match.files.items() if giver in givers),
        ENTITIES[name].file,
    )
    frame = part.frame.select(
        ROW, *dict.fromkeys((*names, *extensions)), *([OF] if OF in part.frame.columns else [])
    )
    mode: Mode = "bulk" if whole and not empty else "unknown"
    keys = tuple(
        sorted(
            {
                key
                for giver in layout.files
                for one in giver.gives
                if one.entity == name
                for key in _keys(one)
            }
        )
    )
    return Table(
        ENTITIES[name],
        frame,
        file,
        mode,
        part.lost,
        part.said,
        emptied=whole and empty,
        fed=part.fed,
        keys=keys,
        complete=_stand_with_their_record(name, layout),
    )


def _stand_with_their_record(name: str, layout: Layout) -> bool:
    """Whether a row lists all the parts of its record, so that one which it lacks is gone."""
    givers = [one for file in layout.files for one in file.gives if one.entity == name]
    return (
        ENTITIES[name].folds_into is not None and bool(givers) and all(one.each for one in givers)
    )


def _keys(one: Rows) -> set[str]:
    """The references of which rows' ids are made: they read what the id reads, or stand in it where there is none."""
    references = {column.name for column in ENTITIES[one.entity].references}
    own = one.columns.get("sourcedId")
    if own is None:
        return references.intersection(KEYS[one.entity][1])
    made = own.reads if own.made else ()
    return {
        name
        for name in references & one.columns.keys()
        if {*one.columns[name].reads}.intersection(made)
    }


def _says_something(table: Table, layout: Layout, match: Matched) -> bool:
    """Whether a table has rows; one without any means something in a snapshot, or of a file that every drop needs."""
    if table.frame.height or table.lost.height or table.emptied:
        return True
    empty = [
        file
        for file in layout.files
        if file.name in match.files and not match.files[file.name].filled
    ]
    return any(
        file.needed and any(one.entity == table.entity.name for one in file.gives) for file in empty
    )


def _needed(layout: Layout, match: Matched) -> list[Findings]:
    """Refuse the drop for a file that it needs and that cannot be used."""
    return [
        of_file(
            "layout_file_missing",
            "",
            f"{file.name}.csv, of {layout.code}, is there and cannot be used",
        )
        for file in layout.files
        if file.needed and file.name in match.broken
    ]


def _emptied(match: Matched, strict: bool) -> list[Findings]:
    """Tell of files without rows, and refuse a drop that has nothing else."""
    empty = [found.raw.name for found in match.files.values() if not found.filled]
    told = [of_file("no_rows", name, strict=strict) for name in empty]
    nothing = match.files and len(empty) == len(match.files)
    return [*told, *([of_file("drop_empty", "")] if nothing else [])]


def _named(findings: Findings, tables: dict[str, Table]) -> Findings:
    """Say of which entity the rows are that did not fit their header: the first that their file describes."""
    entities: dict[str, str] = {}
    for name, table in tables.items():
        for file in table.file.split(", "):
            entities.setdefault(file, name)
    named = pl.col("file").replace_strict(
        entities, default=pl.col("entity"), return_dtype=pl.String
    )
    return replace(findings, errors=findings.errors.with_columns(entity=named))
