"""Export a roster as the files of a OneRoster 1.2 bulk zip: data files and manifest.

Source: OneRoster 1.2 CSV Binding (reference sections 1.1 to 1.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from transforms.binding.manifest import FILE, HEADER, SOURCES
from transforms.checks import check
from transforms.conform import Misfit, fit_to_standard
from transforms.findings import ROW, Findings, file_finding, merge_findings, row_findings
from transforms.payload import METADATA, owner_column
from transforms.records import EntityRecords, RosterState, without_references
from transforms.roster import Roster, Table
from transforms.rules import CONSEQUENCES, RULES
from transforms.schemas import ENTITIES, LIFECYCLE

SYSTEM = "roster"
LINE_BREAKS = r"[\r\n]+"
# Findings in the zip that have a rule of their own; all others are reported as `export_breach`.
EXPORT_RULES = dict.fromkeys(("dangling", "dangling_optional"), "export_outside")


@dataclass(frozen=True)
class BulkExport:
    """The files of a bulk zip."""

    tables: dict[str, pl.DataFrame]  # the rows of each of the standard's files that has any
    # What the files should have and do not, and what was omitted.
    findings: Findings = field(default_factory=Findings)

    def files(self, source: str) -> dict[str, pl.DataFrame]:
        """Return all files by name, the manifest first; `source` names the owner of the roster."""
        return {FILE: _manifest(self.tables, source)} | {
            ENTITIES[name].file: frame for name, frame in self.tables.items()
        }


def export_roster(
    standing: RosterState, parts: RosterState, *, strict: bool = False, today: date | None = None
) -> BulkExport:
    """Convert the accepted records, and the rows that fold into them, to the standard's files.

    Nothing is invented: a required value that the roster does not have is reported. Our own files
    are omitted, and reported too. `strict` also fits cells to the standard, and omits rows that
    violate it or refer to a record that is not in the zip.
    """
    everything = standing | {name: _of_accepted(part, standing) for name, part in parts.items()}
    hidden = {
        name: pl.concat([records.refused["sourcedId"], records.withheld["sourcedId"]])
        for name, records in everything.items()
    }
    ours = {
        name: without_references(everything[name], hidden)
        for name in ENTITIES
        if name in everything
    }
    filled = {name: records for name, records in ours.items() if records.accepted.height}
    rows = {
        name: replace(records, accepted=_rows(records))
        for name, records in filled.items()
        if records.entity.standard
    }
    fitted, misfits = fit_to_standard(rows)
    tables = {
        # Columns of our own are omitted. Columns that the source itself added stay.
        name: records.accepted.drop(
            [one.name for one in records.entity.columns if not one.standard]
        )
        for name, records in (fitted if strict else rows).items()
    }
    findings = [
        *_refusals(ours, tables),
        *_possible_gaps(filled),
        *_misfits(misfits, ours, strict=strict),
    ]
    checked = check(
        Roster({name: _table(records) for name, records in fitted.items()}, today=today),
        {},
        strict=True,
    )
    errors = checked.findings.errors
    if not strict or not errors.height:
        return BulkExport(tables, merge_findings([*findings, *_breaches(errors, ours)]))
    # What is left may break another rule: the person of a role that is left out has none there.
    fewer = _count(checked.standing) + _count(checked.parts) < _count(rows)
    rest = export_roster(checked.standing, checked.parts, strict=fewer, today=today)
    return replace(
        rest, findings=merge_findings([*findings, *_faults(errors, ours), rest.findings])
    )


def _count(records: RosterState) -> int:
    return sum(one.accepted.height for one in records.values())


def _of_accepted(part: EntityRecords, standing: RosterState) -> EntityRecords:
    """Omit the rows whose record was refused or withheld."""
    owners = standing[part.entity.folds_into or ""].accepted["sourcedId"]
    theirs = pl.col(owner_column(part.entity).name).is_in(owners.implode())
    return replace(part, accepted=part.accepted.filter(theirs))


def _rows(records: EntityRecords) -> pl.DataFrame:
    """Return the rows in the order of their ids, so that equal rosters give equal files."""
    header = [column.name for column in records.entity.current]
    extensions = sorted(name for name in records.accepted.columns if name.startswith(METADATA))
    return records.accepted.sort("sourcedId").select(
        _cell(name) for name in dict.fromkeys((*header, *extensions))
    )


def _cell(name: str) -> pl.Expr:
    """Blank the lifecycle columns, and replace line breaks in cells (section 1.1).

    Everything else is data and stays, including cells that a spreadsheet would run as formulas:
    with a quote in front, they would be read back as other values.
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
    properties = {"manifest.version": "1.0", "oneroster.version": "1.2"} | modes | systems
    return pl.DataFrame(
        list(properties.items()), schema=dict.fromkeys(HEADER, pl.String), orient="row"
    )


def _refusals(standing: RosterState, tables: dict[str, pl.DataFrame]) -> Iterator[Findings]:
    if deltas := [
        records.file
        for records in standing.values()
        if records.mode == "delta" and records.entity.standard
    ]:
        yield file_finding("export_delta", "", ", ".join(deltas))
    elif not tables:
        yield file_finding("export_empty", "")


def _possible_gaps(filled: RosterState) -> Iterator[Findings]:
    """Report the files that may be incomplete, and those that the standard does not have."""
    for records in filled.values():
        if not records.entity.standard:
            yield file_finding("export_beyond", records.file, count=records.accepted.height)
        elif records.mode == "unknown":
            yield file_finding("export_whole", records.file)


def _misfits(misfits: list[Misfit], ours: RosterState, *, strict: bool) -> Iterator[Findings]:
    """Report the cells that are written differently under `strict`, or that should be."""
    for misfit in misfits:
        records = ours[misfit.entity]
        yield row_findings(
            "export_fitted" if strict else "export_breach",
            records.accepted.filter(pl.col("sourcedId").is_in(misfit.ids.implode())),
            file=records.file,
            entity=misfit.entity,
            column=misfit.column,
            detail=f"{misfit.says}: {misfit.written}" if strict else misfit.says,
        )


def _breaches(errors: pl.DataFrame, ours: RosterState) -> Iterator[Findings]:
    """Report the violations of the standard in the zip, which a strict reader would find."""
    causes = errors.filter(~pl.col("rule").is_in(CONSEQUENCES))
    for records, column, rule, rows in _of_drop(causes, ours):
        yield row_findings(
            EXPORT_RULES.get(rule, "export_breach"),
            rows,
            file=records.file,
            entity=records.entity.name,
            column=column,
            detail=f"{RULES[rule].says} ({rule})",
        )


def _faults(errors: pl.DataFrame, ours: RosterState) -> Iterator[Findings]:
    """Report why rows are omitted."""
    for records, column, rule, rows in _of_drop(errors, ours):
        yield row_findings(
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
    """Find the drop's rows that faulty rows of the zip come from, by entity, column and rule."""
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
