"""A roster as the files of a OneRoster 1.2 bulk zip: the standard's columns in its order, and the manifest.

Source: OneRoster 1.2 CSV Binding (reference sections 1.1 to 1.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from transforms.binding.manifest import FILE, HEADER, SOURCES
from transforms.checks import check
from transforms.findings import ROW, Findings, gather, of_file, of_rows
from transforms.payload import METADATA, owner
from transforms.records import EntityRecords, RosterState, without_references
from transforms.roster import Roster, Table
from transforms.rules import CONSEQUENCES, RULES
from transforms.schemas import ENTITIES, LIFECYCLE, Entity

SYSTEM = "roster"
LINE_BREAKS = r"[\r\n]+"
BREACHES = dict.fromkeys(("dangling", "dangling_optional"), "export_outside")


@dataclass(frozen=True)
class Bulk:
    """The rows of each of the standard's files that has any, by entity; `findings` say what the files lack or leave out."""

    tables: dict[str, pl.DataFrame]
    findings: Findings = field(default_factory=Findings)

    def files(self, source: str) -> dict[str, pl.DataFrame]:
        """Give all files by name, the manifest first; `source` is whose roster it is."""
        return {FILE: _manifest(self.tables, source)} | {
            ENTITIES[name].file: frame for name, frame in self.tables.items()
        }


def bulk(
    standing: RosterState, parts: RosterState, *, strict: bool = False, today: date | None = None
) -> Bulk:
    """Give the accepted records, and the rows that fold into them, as the standard has them.

    Nothing is made up: what the standard wants and the roster lacks is told, as are files of our own, which are left out.
    If it is `strict`, so are rows that are not as the standard has them, or that name what is not in the zip.
    """
    whole = standing | {name: _of_accepted(part, standing) for name, part in parts.items()}
    left = {
        name: pl.concat([one.refused["sourcedId"], one.withheld["sourcedId"]])
        for name, one in whole.items()
    }
    ours = {name: without_references(whole[name], left) for name in ENTITIES if name in whole}
    filled = {name: records for name, records in ours.items() if records.accepted.height}
    rows = {
        name: replace(records, accepted=_rows(records))
        for name, records in filled.items()
        if records.entity.standard
    }
    tables = {name: records.accepted.drop(_own(records.entity)) for name, records in rows.items()}
    told = [*_refused(ours, tables), *_told(filled)]
    letter = check(
        Roster({name: _table(records) for name, records in rows.items()}, today=today),
        {},
        strict=True,
    )
    errors = letter.findings.errors
    if not strict or not errors.height:
        return Bulk(tables, gather([*told, *_breaches(errors, ours)]))
    rest = bulk(letter.standing, letter.parts, today=today)
    return replace(rest, findings=gather([*told, *_faults(errors, ours), rest.findings]))


def _of_accepted(part: EntityRecords, standing: RosterState) -> EntityRecords:
    """Leave out the rows whose record was refused or withheld."""
    owners = standing[part.entity.folds_into or ""].accepted["sourcedId"]
    theirs = pl.col(owner(part.entity).name).is_in(owners.implode())
    return replace(part, accepted=part.accepted.filter(theirs))


def _rows(records: EntityRecords) -> pl.DataFrame:
    """Give the rows in the order of their ids, so that the same roster is the same file."""
    header = [column.name for column in records.entity.current]
    extensions = sorted(name for name in records.accepted.columns if name.startswith(METADATA))
    return records.accepted.sort("sourcedId").select(
        _cell(name) for name in dict.fromkeys((*header, *extensions))
    )


def _own(entity: Entity) -> list[str]:
    """The columns that the standard does not have; those that the source added by itself are its own to hand on."""
    return [column.name for column in entity.columns if not column.standard]


def _cell(name: str) -> pl.Expr:
    """A bulk file says nothing of status, and has no line breaks in cells (section 1.1); all else is data, and stays as it is.

    So do cells that a spreadsheet would run: quoted, they would come back as other values.
    """
    if name in LIFECYCLE:
        return pl.lit(None, pl.String).alias(name)
    return pl.col(name).str.replace_all(LINE_BREAKS, " ")


def _manifest(tables: dict[str, pl.DataFrame], source: str) -> pl.DataFrame:
    modes = {
        f"file.{name}": "bulk" if name in tables else "absent"
        for name in sorted(ENTITIES, key=str.casefold)
        if ENTITIES[name].standard
    }
    systems = dict(zip(SOURCES, (SYSTEM, source), strict=True))
    said = {"manifest.version": "1.0", "oneroster.version": "1.2"} | modes | systems
    return pl.DataFrame(list(said.items()), schema=dict.fromkeys(HEADER, pl.String), orient="row")


def _refused(standing: RosterState, tables: dict[str, pl.DataFrame]) -> Iterator[Findings]:
    if changes := [
        records.file
        for records in standing.values()
        if records.mode == "delta" and records.entity.standard
    ]:
        yield of_file("export_delta", "", ", ".join(changes))
    elif not tables:
        yield of_file("export_empty", "")


def _told(filled: RosterState) -> Iterator[Findings]:
    """Tell which files may lack records, and which are not the standard's."""
    for records in filled.values():
        if not records.entity.standard:
            yield of_file("export_beyond", records.file, count=records.accepted.height)
        elif records.mode == "unknown":
            yield of_file("export_whole", records.file)


def _breaches(errors: pl.DataFrame, ours: RosterState) -> Iterator[Findings]:
    """Tell what is wrong by the letter of the standard, as whoever reads the zip will find it."""
    causes = errors.filter(~pl.col("rule").is_in(CONSEQUENCES))
    for records, column, rule, rows in _of_drop(causes, ours):
        told, detail = BREACHES.get(rule, "export_breach"), f"{RULES[rule].says} ({rule})"
        yield of_rows(
            told, rows, file=records.file, entity=records.entity.name, column=column, detail=detail
        )


def _faults(errors: pl.DataFrame, ours: RosterState) -> Iterator[Findings]:
    """Tell why rows are left out."""
    for records, column, rule, rows in _of_drop(errors, ours):
        yield of_rows(
            rule,
            rows,
            file=records.file,
            entity=records.entity.name,
            column=column,
            value="value",
            strict=True,
        )


def _of_drop(
    errors: pl.DataFrame, ours: RosterState
) -> Iterator[tuple[EntityRecords, str, str, pl.DataFrame]]:
    """Find the rows of the drop from which faulty rows of the zip were made, by entity, column and rule."""
    for (entity, column, rule), rows in errors.group_by(
        "entity", "column", "rule", maintain_order=True
    ):
        records = ours[str(entity)]
        there = records.accepted.select(ROW, "sourcedId")
        found = rows.join(there, on="sourcedId", how="inner", maintain_order="left")
        yield records, str(column or ""), str(rule), found


def _table(records: EntityRecords) -> Table:
    rows = records.accepted
    return Table(
        records.entity,
        rows.with_row_index(ROW, 1),
        records.entity.file,
        "bulk",
        said=frozenset(rows.columns),
    )
