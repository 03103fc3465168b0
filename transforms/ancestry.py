"""The records to which one refers, as the ledger keeps them: `entity:sourcedId`, joined by spaces."""

from __future__ import annotations

import re

import polars as pl

from transforms.schemas import ENTITIES

# An id may hold spaces, so that words are told apart by the entity with which each begins.
_NAMES = "|".join(ENTITIES)
_BETWEEN = re.compile(rf" (?=(?:{_NAMES}):)")
_SEPARATOR = "\x1f"


def words(text: str | None) -> list[str]:
    """Split one record's parents."""
    return _BETWEEN.split(text) if text else []


def words_in(parents: pl.Expr) -> pl.Expr:
    """Split a column of parents into lists."""
    return parents.str.replace_all(rf" ((?:{_NAMES}):)", f"{_SEPARATOR}${{1}}").str.split(_SEPARATOR)


def ids_in(parents: pl.Expr, entity: str) -> pl.Expr:
    """The ids of one entity among each record's parents, as lists."""
    mine = pl.element().filter(pl.element().str.starts_with(f"{entity}:"))
    return words_in(parents).list.eval(mine.str.strip_prefix(f"{entity}:"))
