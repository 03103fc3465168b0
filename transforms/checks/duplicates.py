"""Rows that are there more than once, equal in every cell."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW
from transforms.roster import Table


def merged(table: Table) -> tuple[Table, pl.DataFrame]:
    """Return the table with exact duplicates merged, and the rows that this takes away.

    Different rows with one `sourcedId` stay: its schema refuses them, as a conflict.
    """
    ids = table.frame["sourcedId"]
    several = table.frame.filter(ids.is_duplicated() & ids.is_not_null())
    kept = several.unique([name for name in several.columns if name != ROW], keep="first", maintain_order=True)
    extra = several.join(kept.select(ROW), on=ROW, how="anti", maintain_order="left")
    frame = table.frame.join(extra.select(ROW), on=ROW, how="anti", maintain_order="left")
    return replace(table, frame=frame), extra
