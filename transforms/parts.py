"""Parts of a record folded into one cell: each part is its filled cells by name.

Control characters never survive the reading of a drop, so that they can separate what is folded. A
cell of this kind is text like any other: it can be compared, joined and fingerprinted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

PART, CELL, NAME = "\x1e", "\x1f", "\x1d"
Part = dict[str, str]


def folded_text(columns: Iterable[str]) -> pl.Expr:
    """Write the named columns of a row as one part."""
    cells = [pl.lit(name + NAME) + pl.col(name) for name in sorted(columns)]
    return pl.concat_str(cells, separator=CELL, ignore_nulls=True)


def unfolded(text: str) -> list[Part]:
    """Read a cell's parts."""
    return [dict(cell.split(NAME, 1) for cell in part.split(CELL)) for part in text.split(PART)]


def folded_again(parts: Iterable[Part]) -> str | None:
    """Write parts as a cell; None if there are none."""
    texts = sorted(CELL.join(f"{name}{NAME}{value}" for name, value in sorted(part.items())) for part in parts)
    return PART.join(texts) or None


def each(cells: pl.Series, change: Callable[[list[Part]], Iterable[Part]]) -> pl.Series:
    """Change the parts of every cell; each distinct cell is worked on once."""
    changed = {text: folded_again(change(unfolded(text))) for text in cells.drop_nulls().unique()}
    return cells.replace_strict(changed, default=None, return_dtype=pl.String)


def values(cells: pl.Series, name: str) -> pl.Series:
    """Give the values of one name in all parts of each cell, joined by commas; each value once."""
    found = {
        text: ",".join(sorted({part[name] for part in unfolded(text) if name in part}))
        for text in cells.drop_nulls().unique()
    }
    return cells.replace_strict(found, default=None, return_dtype=pl.String)
