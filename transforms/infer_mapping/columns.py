"""What can be seen of each column of a drop without knowing what it means: how it is filled, and what its values look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from transforms.findings import ROW
from transforms.infer_mapping.draft import Line, quoted
from transforms.roster import Raw, RawFile

CLOSED = 20  # distinct values at most of a column whose values may be written out
ID = r"^[0-9A-Za-z.\-_/@]+$"
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
DATE = r"^(?:\d{4}([-/.])\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[T ].*)?$"
MOST = 0.9  # of the values that make a column what it is: the others are dirt
NO_PLURALS = frozenset({"nces", "sims"})  # who gives numbers to schools and people
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")


@dataclass(frozen=True, eq=False)
class SourceColumn:
    """One column: its file, its name as written, and its cells, trimmed; blank ones are left out."""

    file: str
    name: str
    rows: int
    cells: pl.Series

    @cached_property
    def distinct(self) -> pl.Series:
        """Its values, each once and in order."""
        return self.cells.unique().sort()

    @property
    def unique(self) -> bool:
        """Whether each row has a value of its own, but for a little dirt in many rows."""
        return self.rows > 0 and self.distinct.len() >= self.rows - self.rows // 50

    @property
    def closed(self) -> bool:
        """Whether it has few values, which may be written out."""
        return 0 < self.distinct.len() <= CLOSED

    @cached_property
    def emails(self) -> bool:
        """Whether its values are addresses."""
        return self._mostly(EMAIL)

    @cached_property
    def dates(self) -> bool:
        """Whether its values are dates, in whatever order."""
        return self._mostly(DATE)

    @cached_property
    def fit_for_ids(self) -> bool:
        """Whether all of its values may be ids as they are."""
        return bool(self.distinct.str.contains(ID).all())

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return words_of(self.name)

    def _mostly(self, pattern: str) -> bool:
        hits = self.distinct.str.contains(pattern).sum() if self.distinct.len() else 0
        return hits > 0 and hits >= MOST * self.distinct.len()


Columns = dict[str, list[SourceColumn]]


def seen(raw: Raw) -> Columns:
    """Look at each column of each file that has rows."""
    return {name: _seen(file) for name, file in sorted(raw.files.items()) if file.frame.height}


def _seen(file: RawFile) -> list[SourceColumn]:
    return [
        SourceColumn(file.name, name, file.frame.height, _cells(file.frame[name]))
        for name in file.frame.columns
        if name != ROW
    ]


def _cells(column: pl.Series) -> pl.Series:
    """What is in a column; by the series, as an expression would take `*` for a pattern."""
    cells = column.str.strip_chars()
    return cells.filter((cells != "").fill_null(value=False))


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case and in the singular: `PupilIDs`, `pupil_id` and `Pupil Id` are `pupil`, `id`."""
    words = re.findall(r"[^\W_]+", CAMEL.sub(" ", name))
    return tuple(_singular(word.casefold()) for word in words)


def _singular(word: str) -> str:
    if word.endswith(("sses", "ches")):
        return word[:-2]
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    plural = (
        word.endswith("s") and (len(word) > 3 or word == "ids") and not word.endswith(("ss", "us"))
    )
    return word[:-1] if plural and word not in NO_PLURALS else word


PARTS = r"^(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}"


def order_line(columns: list[SourceColumn]) -> Line | None:
    """The line of `date_order`; open if nothing decides it, None if the drop has no dates that are read."""
    dates = [one for one in columns if one.dates]
    if not dates:
        return None
    cells = pl.concat([one.cells for one in dates]).to_frame("cell")
    parts = cells.select(
        first=pl.col("cell").str.extract(PARTS, 1), second=pl.col("cell").str.extract(PARTS, 2)
    ).drop_nulls()
    names = ", ".join(f"{one.name!r} of {one.file}" for one in dates)
    if not parts.height:
        return Line("date_order", quoted("ymd"), f"the year stands first in {names}")
    first, second = (int((parts[name].cast(pl.Int32) > 12).sum()) for name in ("first", "second"))
    return _decided(first, second, parts.height, names)


def _decided(first: int, second: int, rows: int, names: str) -> Line:
    if first and second * 10 < first:
        return Line(
            "date_order",
            quoted("dmy"),
            f"the first number is greater than 12 in {first} of {rows} dates of {names}",
        )
    if second and first * 10 < second:
        return Line(
            "date_order",
            quoted("mdy"),
            f"the second number is greater than 12 in {second} of {rows} dates of {names}",
        )
    why = (
        "no number is greater than 12"
        if not first + second
        else f"greater than 12 are {first} first and {second} second numbers"
    )
    return Line("date_order", quoted(""), f"dmy (day first) or mdy? Of {names} {why}", open=True)
