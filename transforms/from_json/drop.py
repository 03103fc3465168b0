"""Make a drop from the rows of collections, with the manifest that a CSV export would have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

import polars as pl

from transforms.binding.manifest import FILE, HEADER, SINCE_1_2
from transforms.findings import ROW, Findings, file_finding, merge_findings, row_findings
from transforms.from_json.records import LINKS, CollectionRows, Row
from transforms.payload import METADATA
from transforms.roster import Raw, RawFile
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.entity import Version

EXAMPLES = 3  # ids of unlisted records that are reported
SCALES, CLASSES = ENTITIES["scoreScales"].file, ENTITIES["classes"].file
ROSTER = ("orgs", "academicSessions", "users", "demographics", "courses", "classes", "enrollments")


def make_raw(
    read: Mapping[str, CollectionRows],
    version: Version,
    *,
    whole: bool,
    broken: Mapping[str, str] | None = None,
    unshared: Mapping[str, str] | None = None,
    zone: ZoneInfo | None = None,
) -> Raw:
    """Make a drop from collections by name.

    `whole`: every record was read, not only those that changed. Each record always has all of its
    parts. `broken`: the collections that could not be read completely, and why.
    `unshared`: those that the source does not give to this client, and that no roster needs.
    `zone`: the time zone of days that came as timestamps.
    """
    files, modes = {}, dict.fromkeys(broken or {}, "bulk" if whole else "delta")
    findings = [
        file_finding(rule, ENTITIES[name].file, why)
        for rule, names in (("collection_unread", broken), ("collection_unshared", unshared))
        for name, why in (names or {}).items()
    ]
    for name, unfolded in read.items():
        for file in _files(name, unfolded, version, whole=whole):
            entity = ENTITIES[file.name.removesuffix(".csv")]
            files[file.name] = file
            modes[entity.name] = "bulk" if whole or entity.folds_into else "delta"
        findings += _findings(ENTITIES[name], unfolded)
    return Raw(
        fill_scales(files) | {FILE: _manifest(modes, version)},
        frozenset(ENTITIES[name].file for name in broken or {}),
        merge_findings(findings),
        rest=True,
        zone=zone,
    )


def _files(
    name: str, unfolded: CollectionRows, version: Version, *, whole: bool
) -> Iterator[RawFile]:
    """The files of a collection and of its parts, without empty files that are not needed."""
    files: dict[str, list[Row]] = {name: [], **unfolded.rows}
    for file, rows in files.items():
        entity, misfits = ENTITIES[file], unfolded.misfits if file == name else {}
        needed = entity.needed and whole
        # Changes do not show that a link was removed, so only a full read has links.
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
    extensions = sorted({name for row in rows for name in row if name.startswith(METADATA)})
    header = (*entity.header(version), *extensions)
    frame = pl.DataFrame(rows, schema=dict.fromkeys((ROW, *header), pl.String))
    numbers = pl.col(ROW).cast(pl.UInt32).fill_null(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32))
    frame = frame.with_columns(numbers)
    if whole or entity.folds_into:
        # In a bulk file, the status of an active record is blank.
        status = pl.when(pl.col("status") != "active").then("status").alias("status")
        frame = frame.with_columns(status, dateLastModified=pl.lit(None, pl.String))
    ragged: dict[int, tuple[str, ...]] = {row: misfit[:1] for row, misfit in misfits.items()}
    return RawFile(entity.file, frame, header, ragged)


def _findings(entity: Entity, unfolded: CollectionRows) -> list[Findings]:
    """Report unread properties, unlisted records and misfits of a collection."""
    file = entity.file
    findings = [
        file_finding("property_unread", file, column=name, count=count)
        for name, count in unfolded.unread.items()
    ]
    findings += [
        file_finding("reference_flat", of, column=name, count=count)
        for (of, name), count in unfolded.flat.items()
    ]
    if unfolded.unlisted:
        examples = ", ".join(unfolded.unlisted[:EXAMPLES])
        findings.append(
            file_finding("record_unlisted", file, examples, count=len(unfolded.unlisted))
        )
    rows = [(row, *misfit) for row, misfit in unfolded.misfits.items()]
    types = {ROW: pl.UInt32, "sourcedId": pl.String, "column": pl.String, "rule": pl.String}
    misfits = pl.DataFrame(rows, schema=types, orient="row")
    findings += [
        row_findings(str(rule), part, file=file, entity=entity.name, column=str(column))
        for (rule, column), part in misfits.group_by("rule", "column", maintain_order=True)
    ]
    return findings


def _manifest(modes: Mapping[str, str], version: Version) -> RawFile:
    lines: list[tuple[str, str]] = [("manifest.version", "1.0"), ("oneroster.version", version)]
    lines += [(f"file.{name}", modes.get(name, "absent")) for name in ENTITIES]
    frame = pl.DataFrame(
        lines, schema=dict.fromkeys(HEADER, pl.String), orient="row"
    ).with_row_index(ROW, offset=1)
    return RawFile(FILE, frame, HEADER)


def fill_scales(files: Mapping[str, RawFile]) -> dict[str, RawFile]:
    """Give score scales without an org or a course those of their class."""
    if not {SCALES, CLASSES} <= files.keys():
        return dict(files)
    classes = files[CLASSES].frame.select(
        "sourcedId", school="schoolSourcedId", course="courseSourcedId"
    )
    frame = files[SCALES].frame.join(
        classes.unique("sourcedId"),
        left_on="classSourcedId",
        right_on="sourcedId",
        how="left",
        maintain_order="left",
    )
    filled = frame.with_columns(
        orgSourcedId=pl.col("orgSourcedId").fill_null(pl.col("school")),
        courseSourcedId=pl.col("courseSourcedId").fill_null(pl.col("course")),
    )
    return {**files, SCALES: replace(files[SCALES], frame=filled.drop("school", "course"))}


def collections(version: Version) -> tuple[str, ...]:
    """Return the names of the collections of a binding, parents first.

    Parts and links have no collection: they are in the records that they belong to.
    """
    return tuple(name for name, entity in ENTITIES.items() if _is_collection(entity, version))


def _is_collection(entity: Entity, version: Version) -> bool:
    if entity.folds_into or entity.name in LINKS:
        return False
    return version != "1.1" or (entity.standard and entity.name not in SINCE_1_2)
