"""The order of records among themselves: parents before children, and for deletes the other way round."""

from __future__ import annotations

import polars as pl

from transforms.checks.chains import depths, parent_column, parent_in
from transforms.schemas import ENTITIES


def children_first(name: str, removals: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """Order records that form a tree; `details` (`sourcedId`, `parents`) is what the ledger knows of them."""
    if parent_column(ENTITIES[name]) is None:
        return removals
    above = {
        record: parent_in(words, ENTITIES[name]) for record, words in details.select("sourcedId", "parents").iter_rows()
    }
    ids = removals["sourcedId"].to_list()
    levels = pl.Series("#depth", depths(ids, {record: parent for record, parent in above.items() if parent}))
    return removals.with_columns(levels).sort("#depth", descending=True, maintain_order=True).drop("#depth")
