"""Lists as other programs write them: `a;b` and `["a","b"]` become `a,b`, the standard's way."""

from __future__ import annotations

import polars as pl

from transforms.schemas import Column
from transforms.schemas.entity import LISTS, Kind

# Items of other kinds are in braces, inside which a semicolon may be meant.
PLAIN: tuple[Kind, ...] = ("references", "texts", "enums")
_ITEM = r'\s*(?:"[^",]+"|[^",\s\[\]]+)\s*'
ARRAY = rf"^\s*\[(?:\s*|{_ITEM}(?:,{_ITEM})*)\]\s*$"


def written_otherwise(column: Column) -> pl.Expr | None:
    """Tell which cells may be a list in another spelling; None if the column holds no lists."""
    cell = pl.col(column.name)
    if column.kind not in LISTS:
        return None
    spaced = cell.str.contains(", ", literal=True) | cell.str.contains(" ,", literal=True)
    if column.kind not in PLAIN:
        return spaced
    return spaced | cell.str.contains(";", literal=True) | cell.str.starts_with("[")


def comma_separated(column: Column) -> pl.Expr:
    """Give a list with one comma between its items; where commas and semicolons meet, it is not clear what separates."""
    cell = pl.col(column.name)
    if column.kind in PLAIN:
        inner = cell.str.strip_chars().str.strip_chars("[]").str.replace_all('"', "", literal=True).str.strip_chars()
        cell = pl.when(cell.str.contains(ARRAY)).then(pl.when(inner != "").then(inner)).otherwise(cell)
        several = cell.str.contains(";", literal=True) & ~cell.str.contains(",", literal=True)
        cell = pl.when(several).then(cell.str.replace_all(r"\s*;\s*", ",").str.strip_chars(",")).otherwise(cell)
    return cell.str.replace_all(r"\s*,\s*", ",")
