"""What the values of a column mean, word by word, where they are few."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import polars as pl

from transforms.guessing.columns import Seen
from transforms.guessing.draft import Line, key_of, quoted, word
from transforms.guessing.spellings import looks_like_id
from transforms.layouts.words import CLASS_ROLES, ROLES, SEXES, grade_of
from transforms.schemas import ENTITIES

Meaning = Callable[[str], str | None]


GRADES = ("KG", "PK", "PR", "TK", "IT", "PS", "UG", "Other", *(f"{year:02}" for year in range(1, 14)))


def _grade(value: str) -> str | None:
    """A grade, or a list of them."""
    items = [grade_of(item, {}) for item in re.split(r"[,;|]", value) if item.strip()]
    return value if all(set(item.split(",")) <= set(GRADES) for item in items) else None


# A word of the vocabulary, and what it makes of one value.
WORDS: dict[str, Meaning] = {
    "grades": _grade,
    "sex": lambda value: SEXES.get(value.casefold()),
    "role": lambda value: ROLES.get(value.casefold()),
    "class_role": lambda value: CLASS_ROLES.get(value.casefold()),
}


def meaning_lines(key: str, vocabulary: str, column: Seen, why: str, entity: str = "") -> list[Line]:
    """Lines for a column of words: one if all are known, else one for each, those unknown left open."""
    meaning, reads = WORDS[vocabulary], (column.name,)
    counts = _counts(column)
    unknown = [value for value, _ in counts if meaning(value) is None]
    if not unknown:
        return [Line(key, word(vocabulary, column.name), f"{why}; all of its values are known", reads)]
    if not column.closed or column.emails or looks_like_id(column.words):
        return [Line(key, word(vocabulary, column.name), f"{why}, but {len(unknown)} of its {len(counts)} values are not known", reads, open=True)]  # fmt: skip
    expected = _expected(ENTITIES[entity][key].values if entity else GRADES)
    first = Line(f"{key}.one_of", quoted(column.name), f"{why}; each of its values has a line", reads)
    return [first, *(_value_line(key, value, rows, meaning(value), expected) for value, rows in counts)]


def _value_line(key: str, value: str, rows: int, meant: str | None, expected: str) -> Line:
    path = f"{key}.words.{key_of(value)}"
    where = f"in {rows} row{'s' * (rows != 1)}"
    if meant is None:
        return Line(path, '""', f"{where}; what is it? {expected}", open=True)
    return Line(path, quoted(meant), where)


def _counts(column: Seen) -> list[tuple[str, int]]:
    """How often each value is there, whatever its case; in the spelling that comes first."""
    cells = pl.DataFrame({"value": column.cells})
    grouped = cells.group_by(pl.col("value").str.to_lowercase().alias("#key")).agg(pl.col("value").min(), pl.len())
    return grouped.sort("#key").select("value", "len").rows()


def _expected(values: Sequence[str]) -> str:
    return ", ".join(values)
