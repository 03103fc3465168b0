"""Refuse a complete drop: which findings do so, and how many rows of each entity were rejected.

Nothing of a refused drop is sent, and no record counts as missing.
"""

from __future__ import annotations

import polars as pl

from transforms.binding.manifest import FILE
from transforms.binding.names import entity_of_file
from transforms.findings import FILE_SEPARATOR, Findings, files_of
from transforms.grammar import count_of
from transforms.guard.context import Rejections
from transforms.roster import Roster
from transforms.rules import CONSEQUENCES, RULES
from transforms.schemas import ENTITIES

# Rules that a row breaks only because another row was rejected.
FOLLOWING = ("parent_rejected", "part_rejected", "target_parent")


def refusing_findings(findings: Findings, strict: bool) -> pl.DataFrame:
    """Return the fatal findings that refuse the drop.

    These are findings about no file, about the manifest, and about a file that every roster needs;
    under `--strict`, about any file. A file that folds into a needed one is needed too: without the
    roles file, users would be sent as if they had no roles.
    """
    if strict:
        return findings.fatal
    needed = [
        name
        for name, entity in ENTITIES.items()
        if entity.needed or (entity.folds_into and ENTITIES[entity.folds_into].needed)
    ]
    files = [
        file
        for file in findings.fatal["file"].unique()
        if file == "" or file.casefold() == FILE or entity_of_file(file) in needed
    ]
    return findings.fatal.filter(pl.col("file").is_in(files) | pl.col("entity").is_in(needed))


def count_violations(findings: Findings) -> int:
    """Return the number of errors that violate the standard, and not only the target's rules."""
    standard = [code for code, rule in RULES.items() if rule.judges == "standard"]
    return findings.errors.filter(pl.col("rule").is_in(standard)).height


def rejections_by_entity(roster: Roster, findings: Findings) -> dict[str, Rejections]:
    """Return the rejections of each entity.

    Rows that are parts of another entity's records count for that entity. If it then has several
    files, the file with the larger share of faults counts.
    """
    errors = findings.errors.filter(severity="error").drop_nulls("row")
    roots = errors.filter(~pl.col("rule").is_in(FOLLOWING))
    found: dict[str, Rejections] = {}
    for table in roster.tables.values():
        name = table.entity.folds_into or table.entity.name
        rows, files = table.frame.height + table.lost.height, files_of(table.file)
        of_table = pl.col("file").is_in(files) & pl.col("entity").fill_null(table.entity.name).eq(
            table.entity.name
        )
        faults = (
            roots.filter(of_table & ~pl.col("rule").is_in(list(CONSEQUENCES)))
            .unique(["file", "row"])
            .height
        )
        rejections = Rejections(
            FILE_SEPARATOR.join(files), rows, faults, *_main_cause(roots.filter(of_table))
        )
        if rows and (
            name not in found or _share_of_faults(rejections) > _share_of_faults(found[name])
        ):
            found[name] = rejections
    return found


def _main_cause(faults: pl.DataFrame) -> tuple[str, str]:
    """Return the fault that most rows have, and what to do about it; blank if they have none."""
    worst = (
        faults.group_by("file", "column", "rule", maintain_order=True)
        .len()
        .sort("len", descending=True, maintain_order=True)
    )
    for file, column, rule, count in worst.head(1).iter_rows():
        where = f"{file}, column {column}" if column else file
        return f"{where}, {count_of(count, 'rows')}: {RULES[rule].says}", RULES[rule].fix
    return "", ""


def _share_of_faults(rejections: Rejections) -> float:
    return rejections.faults / rejections.rows
