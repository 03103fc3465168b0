"""When a drop is refused as a whole: nothing of it is sent, and nothing counts as vanished."""

from __future__ import annotations

from pathlib import PurePath

import polars as pl

from transforms.binding.manifest import FILE
from transforms.findings import SEVERAL, Findings, files_of
from transforms.guard.context import Rejections
from transforms.roster import Roster
from transforms.rules import CONSEQUENCES, RULES
from transforms.schemas import ENTITIES


def refusals(findings: Findings, strict: bool) -> pl.DataFrame:
    """The fatal findings that refuse the drop: those of no file, of the manifest, of a file that every roster needs.

    Under `--strict` a fatal finding of any file does. A file that folds into a needed one is needed
    with it: without roles, users would be sent as if they had none.
    """
    if strict:
        return findings.fatal
    needed = [
        name.casefold()
        for name, entity in ENTITIES.items()
        if entity.needed or _owner_needed(entity.folds_into)
    ]
    stems = {file: PurePath(file).stem.casefold() for file in findings.fatal["file"].unique()}
    files = [
        file
        for file, stem in stems.items()
        if file == "" or file.casefold() == FILE or stem in needed
    ]
    return findings.fatal.filter(
        pl.col("file").is_in(files) | pl.col("entity").str.to_lowercase().is_in(needed)
    )


def breaches(findings: Findings) -> int:
    """How many errors break the standard; what only the target does not take is not one of them."""
    standard = [code for code, rule in RULES.items() if rule.judges == "standard"]
    return findings.errors.filter(pl.col("rule").is_in(standard)).height


def _owner_needed(owner: str | None) -> bool:
    return owner is not None and ENTITIES[owner].needed


# Rules that a row breaks only because another row was rejected.
FOLLOWING = ("parent_rejected", "part_rejected", "target_parent")


def rejections_of(roster: Roster, findings: Findings) -> dict[str, Rejections]:
    """Count by entity; a file whose rows are parts of another's records is counted for those, the worse of the two."""
    errors = findings.errors.filter(severity="error").drop_nulls("row")
    roots = errors.filter(~pl.col("rule").is_in(FOLLOWING))
    found: dict[str, Rejections] = {}
    for table in roster.tables.values():
        name = table.entity.folds_into or table.entity.name
        rows, files = table.frame.height + table.lost.height, files_of(table.file)
        theirs = pl.col("file").is_in(files) & pl.col("entity").fill_null(table.entity.name).eq(
            table.entity.name
        )
        faults = (
            roots.filter(theirs & ~pl.col("rule").is_in(list(CONSEQUENCES)))
            .unique(["file", "row"])
            .height
        )
        here = Rejections(SEVERAL.join(files), rows, faults, *_cause(roots.filter(theirs)))
        if rows and (name not in found or _share(here) > _share(found[name])):
            found[name] = here
    return found


def _cause(faults: pl.DataFrame) -> tuple[str, str]:
    """Say which fault most rows have, and what to do about it; blank if they have none."""
    worst = (
        faults.group_by("file", "column", "rule", maintain_order=True)
        .len()
        .sort("len", descending=True, maintain_order=True)
    )
    for file, column, rule, count in worst.head(1).iter_rows():
        where = f"{file}, column {column}" if column else file
        return f"{where}, {count:,} rows: {RULES[rule].says}", RULES[rule].fix
    return "", ""


def _share(one: Rejections) -> float:
    return one.faults / one.rows
