"""The words in which a layout says which rows it means, for `where`: `filled("Email")`, `is_none("status", "deleted")`, ..."""

from __future__ import annotations

import polars as pl

from transforms.layouts.cells import Cell, all_filled, columns_of


def filled(*columns: str) -> Cell:
    """Whether columns are filled."""
    return Cell(columns, lambda _: all_filled(columns))


def either(*columns: str) -> Cell:
    """Whether any of the columns is filled."""
    return Cell(columns, lambda _: pl.any_horizontal(pl.col(column).is_not_null() for column in columns))


def blank(*columns: str) -> Cell:
    """Whether none of the columns is filled."""
    return Cell(
        columns, lambda _: pl.all_horizontal(pl.col(column).is_null() for column in columns), holds_without=True
    )


def both(*cells: Cell) -> Cell:
    """Whether all of several conditions hold."""
    without = all(cell.holds_without for cell in cells)
    return Cell(columns_of(cells), lambda dialect: pl.all_horizontal(cell.of(dialect) for cell in cells), without)


def is_none(column: str, *words: str) -> Cell:
    """Whether a column is blank or has none of these words, in any case."""
    found = is_any(column, *words)
    return Cell((column,), lambda dialect: ~found.of(dialect).fill_null(value=False), holds_without=True)


def is_any(column: str, *words: str) -> Cell:
    """Whether a column has one of these words, in any case."""
    return Cell((column,), lambda _: pl.col(column).str.to_lowercase().is_in([word.casefold() for word in words]))
