"""Collections that were read, as rows -> a drop as read, with the manifest that a CSV export of them would have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from transforms.binding.manifest import FILE, HEADER, SINCE_1_2
from transforms.findings import ROW, Findings, gather, of_file, of_rows
from transforms.from_json.records import LINKS, Row, Unfolded
from transforms.payload import METADATA
from transforms.roster import Raw, RawFile
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.entity import Version

# So many ids of records that no page had are named.
EXAMPLES = 3


def raw_of(
    read: Mapping[str, Unfolded],
    version: Version,
    *,
    whole: bool,
    broken: Mapping[str, str] | None = None,
) -> Raw:
    """Make a drop of collections by name; `broken` are those that could not be read to their end, and why.

    `whole` says that each collection was read altogether, and not only what changed. What belongs to a record stands
    in it altogether in either case.
    """
    files, modes = {}, dict.fromkeys(broken or {}, "bulk" if whole else "delta")
    found = [
        of_file("collection_unread", ENTITIES[name].file, why)
        for name, why in (broken or {}).items()
    ]
    for name, unfolded in read.items():
        for file in _files(name, unfolded, version, whole=whole):
            entity = ENTITIES[file.name.removesuffix(".csv")]
            files[file.name] = file
            modes[entity.name] = "bulk" if whole or entity.folds_into else "delta"
        found += _findings(ENTITIES[name], unfolded)
    manifest = _manifest(modes, version)
    return Raw(
        placed(files) | {FILE: manifest},
        frozenset(ENTITIES[name].file for name in broken or {}),
        gather(found),
    )


def _files(name: str, unfolded: Unfolded, version: Version, *, whole: bool) -> Iterator[RawFile]:
    """The files of a collection and of its parts; one without records is left out, unless it has to be there."""
    found: dict[str, list[Row]] = {name: [], **unfolded.rows}
    for file, rows in found.items():
        entity, misfits = ENTITIES[file], unfolded.misfits if file == name else {}
        needed = entity.needed and whole
        # A link that is gone leaves no trace among what changed.
        if (rows or misfits or needed) and (whole or file not in LINKS):
            yield _file(entity, rows, misfits, version, whole=whole)


def _file(
    entity: Entity,
    rows: list[Row],
    misfits: Mapping[int, tuple[str, str, str]],
    version: Version,
    *,
    whole: bool,
) -> RawFile:
    more = sorted({name for row in rows for name in row if name.startswith(METADATA)})
    header = (*entity.header(version), *more)
    frame = pl.DataFrame(rows, schema=dict.fromkeys((ROW, *header), pl.String))
    numbers = pl.col(ROW).cast(pl.UInt32).fill_null(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32))
    frame = frame.with_columns(numbers)
    if whole or entity.folds_into:
        frame = frame.with_columns(_bulk_status(), dateLastModified=pl.lit(None, pl.String))
    return RawFile(entity.file, frame, header, {row: (told[0],) for row, told in misfits.items()})


def _bulk_status() -> pl.Expr:
    """A bulk file says nothing of who is active."""
    return pl.when(pl.col("status") != "active").then("status").alias("status")


def _findings(entity: Entity, unfolded: Unfolded) -> list[Findings]:
    file = entity.file
    unread = [
        of_file("property_unread", file, column=name, count=count)
        for name, count in unfolded.unread.items()
    ]
    if unfolded.unlisted:
        examples = ", ".join(unfolded.unlisted[:EXAMPLES])
        unread.append(of_file("record_unlisted", file, examples, count=len(unfolded.unlisted)))
    rows = [(row, *told) for row, told in unfolded.misfits.items()]
    types = {ROW: pl.UInt32, "sourcedId": pl.String, "column": pl.String, "rule": pl.String}
    misfits = pl.DataFrame(rows, schema=types, orient="row")
    told = [
        of_rows(str(rule), part, file=file, entity=entity.name, column=str(column))
        for (rule, column), part in misfits.group_by("rule", "column", maintain_order=True)
    ]
    return [*unread, *told]


def _manifest(modes: Mapping[str, str], version: Version) -> RawFile:
    lines: list[tuple[str, str]] = [("manifest.version", "1.0"), ("oneroster.version", version)]
    lines += [(f"file.{name}", modes.get(name, "absent")) for name in ENTITIES]
    frame = pl.DataFrame(
        lines, schema=dict.fromkeys(HEADER, pl.String), orient="row"
    ).with_row_index(ROW, offset=1)
    return RawFile(FILE, frame, HEADER)


SCALES, CLASSES = ENTITIES["scoreScales"].file, ENTITIES["classes"].file


def placed(files: Mapping[str, RawFile]) -> dict[str, RawFile]:
    """Fill in what the classes say of their scales, where the scales do not say it."""
    if not {SCALES, CLASSES} <= files.keys():
        return dict(files)
    said = files[CLASSES].frame.select("sourcedId", school="schoolSourcedId", of="courseSourcedId")
    frame = files[SCALES].frame.join(
        said.unique("sourcedId"),
        left_on="classSourcedId",
        right_on="sourcedId",
        how="left",
        maintain_order="left",
    )
    filled = frame.with_columns(
        orgSourcedId=pl.col("orgSourcedId").fill_null(pl.col("school")),
        courseSourcedId=pl.col("courseSourcedId").fill_null(pl.col("of")),
    )
    return {**files, SCALES: replace(files[SCALES], frame=filled.drop("school", "of"))}


ROSTER = ("orgs", "academicSessions", "users", "demographics", "courses", "classes", "enrollments")


def collections(version: Version) -> tuple[str, ...]:
    """Name the collections of a binding, parents first; parts and links stand in the records that they belong to."""
    return tuple(name for name, entity in ENTITIES.items() if _is_collection(entity, version))


def _is_collection(entity: Entity, version: Version) -> bool:
    if entity.folds_into or entity.name in LINKS:
        return False
    return version != "1.1" or (entity.standard and entity.name not in SINCE_1_2)
