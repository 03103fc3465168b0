"""When a drop is refused as a whole: nothing of it is sent, and nothing counts as vanished."""

from __future__ import annotations

from pathlib import PurePath

import polars as pl

from transforms.binding.manifest import FILE
from transforms.findings import Findings
from transforms.rules import RULES
from transforms.schemas import ENTITIES


def refusals(findings: Findings, strict: bool) -> pl.DataFrame:
    """The fatal findings that refuse the drop: those of no file, of the manifest, of a file that every roster needs.

    Under `--strict` a fatal finding of any file does. A file that folds into a needed one is needed
    with it: without roles, users would be sent as if they had none.
    """
    if strict:
        return findings.fatal
    needed = [name.casefold() for name, entity in ENTITIES.items() if entity.needed or _owner_needed(entity.folds_into)]
    stems = {file: PurePath(file).stem.casefold() for file in findings.fatal["file"].unique()}
    files = [file for file, stem in stems.items() if file == "" or file.casefold() == FILE or stem in needed]
    return findings.fatal.filter(pl.col("file").is_in(files) | pl.col("entity").str.to_lowercase().is_in(needed))


def breaches(findings: Findings) -> int:
    """How many errors break the standard; what only the target does not take is not one of them."""
    standard = [code for code, rule in RULES.items() if rule.judges == "standard"]
    return findings.errors.filter(pl.col("rule").is_in(standard)).height


def _owner_needed(owner: str | None) -> bool:
    return owner is not None and ENTITIES[owner].needed
