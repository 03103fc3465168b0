"""Rows with one sourcedId: equal ones are merged, different ones are all refused."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW, Findings, of_rows
from transforms.roster import Table

CAPITAL = "[A-Z]"


def merged(table: Table, strict: bool) -> tuple[Table, int, list[Findings]]:
    """Give the table with exact duplicates merged, and how many rows that were; conflicting rows stay, as errors."""
    ids = table.frame["sourcedId"]
    if _all_differ(ids.drop_nulls()):
        return table, 0, _case_findings(table)
    suspects = table.frame.filter(ids.is_duplicated() & ids.is_not_null())
    cells = [name for name in suspects.columns if name != ROW]
    kept = suspects.unique(cells, keep="first", maintain_order=True)
    extra = suspects.join(kept.select(ROW), on=ROW, how="anti", maintain_order="left")
    conflicts = kept.filter(kept["sourcedId"].is_duplicated())
    frame = table.frame.join(extra.select(ROW), on=ROW, how="anti", maintain_order="left")
    found = [
        of_rows("duplicate", extra, file=table.file, entity=table.entity.name, column="sourcedId", value="sourcedId", strict=strict),
        of_rows("conflict", conflicts, file=table.file, entity=table.entity.name, column="sourcedId", value="sourcedId", strict=strict),
    ]  # fmt: skip
    table = replace(table, frame=frame)
    return table, extra.height, [*found, *_case_findings(table)]


def _all_differ(ids: pl.Series) -> bool:
    """Whether no id is there twice. Hashes that all differ prove it, and take a quarter of the time."""
    return ids.hash().n_unique() == ids.len() or ids.n_unique() == ids.len()


def _case_findings(table: Table) -> list[Findings]:
    """Report ids that differ only in case; the standard tells them apart, some targets may not."""
    ids = table.frame["sourcedId"].drop_nulls()
    if not ids.str.contains(CAPITAL).any():
        return []
    folded = ids.str.to_lowercase()
    if folded.n_unique() == ids.n_unique():
        return []
    spellings = pl.DataFrame({"id": ids, "folded": folded}).unique()
    pairs = spellings.filter(spellings["folded"].is_duplicated())["id"]
    rows = table.frame.filter(pl.col("sourcedId").is_in(pairs.implode()))
    return [of_rows("id_case", rows, file=table.file, entity=table.entity.name, column="sourcedId", value="sourcedId")]
