"""The words of a drop that are not the target's, and that no map leads to one of its words."""

from __future__ import annotations

import polars as pl

from transforms.carry import look_up
from transforms.carrying import Carrying, MappedColumn, TargetVocabulary, Words
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


def mapped_columns(vocabulary: TargetVocabulary) -> dict[tuple[str, str], MappedColumn]:
    """The columns of files whose words are mapped, by entity and name."""
    roles = {ROLES: MappedColumn("roles", refuses="target_role")} if "roles" in vocabulary.maps else {}
    return {**vocabulary.columns, **roles}


def unmapped(roster: Roster, carrying: Carrying) -> pl.DataFrame:
    """Give each such word (columns of `UNMAPPED`) with how many rows have it, the most frequent of a column first."""
    found = [pl.DataFrame(schema=UNMAPPED)]
    for (entity, column), mapped in mapped_columns(carrying.vocabulary).items():
        table = roster.tables.get(entity)
        if table is None or column not in table.frame.columns:
            continue
        cells = table.frame[column].drop_nulls()
        words = cells.str.split(",").explode() if table.entity[column].is_list else cells
        counts = (
            words.alias("word").value_counts(name="rows").drop_nulls().sort("rows", "word", descending=[True, False])
        )
        known = [_leads_on(word, entity, carrying.maps[mapped.map_name]) for word in counts["word"]]
        rows = counts.filter(~pl.Series(known, dtype=pl.Boolean))
        place = {"entity": entity, "column": column, "map": mapped.map_name}
        named = [pl.lit(value).alias(name) for name, value in place.items()]
        found.append(rows.select(*named, "word", pl.col("rows").cast(pl.Int64)))
    return pl.concat(found)


def becomes(vocabulary: TargetVocabulary, entity: str, column: str) -> str:
    """Say what becomes of a word of a column that nothing leads on."""
    mapped = mapped_columns(vocabulary)[entity, column]
    if mapped.refuses:
        return "their records are refused"
    return f"sent as {mapped.unknown!r}" if mapped.unknown else "left out"


def _leads_on(word: str, entity: str, values: Words) -> bool:
    # Only a whole role is looked up: one that begins like another gives other rights.
    return word in values if entity == ROLES[0] else look_up(values, word) is not None
