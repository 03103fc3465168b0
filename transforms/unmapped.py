"""The words of a drop that are not the target's, and that no map leads to one of its words."""

from __future__ import annotations

import polars as pl

from transforms.carry import VOCABULARIES, Vocabulary, look_up
from transforms.carrying import Carrying, Words
from transforms.roster import Roster

UNMAPPED: dict[str, type[pl.DataType]] = {
    "entity": pl.String,
    "column": pl.String,
    "map": pl.String,
    "word": pl.String,
    "rows": pl.Int64,
}
# The column of a part that folds into its entity, which `carry` maps where it has been folded.
ROLES = ("roles", "role")
PLACES: dict[tuple[str, str], Vocabulary] = {**VOCABULARIES, ROLES: Vocabulary("roles", refuses="target_role")}


def unmapped(roster: Roster, carrying: Carrying) -> pl.DataFrame:
    """Give each such word (columns of `UNMAPPED`) with how many rows have it, the most frequent of a column first."""
    found = [pl.DataFrame(schema=UNMAPPED)]
    for (entity, column), vocabulary in PLACES.items():
        table = roster.tables.get(entity)
        if table is None or column not in table.frame.columns:
            continue
        cells = table.frame[column].drop_nulls()
        words = cells.str.split(",").explode() if table.entity[column].is_list else cells
        counts = (
            words.alias("word").value_counts(name="rows").drop_nulls().sort("rows", "word", descending=[True, False])
        )
        known = [_leads_on(word, entity, getattr(carrying, vocabulary.map_name)) for word in counts["word"]]
        rows = counts.filter(~pl.Series(known, dtype=pl.Boolean))
        place = {"entity": entity, "column": column, "map": vocabulary.map_name}
        named = [pl.lit(value).alias(name) for name, value in place.items()]
        found.append(rows.select(*named, "word", pl.col("rows").cast(pl.Int64)))
    return pl.concat(found)


def becomes(entity: str, column: str) -> str:
    """Say what becomes of a word of a column that nothing leads on."""
    vocabulary = PLACES[entity, column]
    if vocabulary.refuses:
        return "their records are refused"
    return f"sent as {vocabulary.unknown!r}" if vocabulary.unknown else "left out"


def _leads_on(word: str, entity: str, values: Words) -> bool:
    # Only a whole role is looked up: one that begins like another gives other rights.
    return word in values if entity == ROLES[0] else look_up(values, word) is not None
