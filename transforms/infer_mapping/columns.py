"""The columns of a drop: the words of their names, and what their values look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from transforms.findings import ROW
from transforms.grammar import count_of
from transforms.infer_mapping.draft import DraftLine, toml_string
from transforms.roster import Raw, RawFile

FEW_VALUES = 20  # a column with at most this many distinct values may have them written out
ID = r"^[0-9A-Za-z.\-_/@]+$"
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
DATE = (
    r"^(?:[0-9]{4}([-/.])[0-9]{1,2}[-/.][0-9]{1,2}"
    r"|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2}))(?:[T ].*)?$"
)
MOST = 0.9  # the share of values that must match a pattern; the others are dirt
NO_PLURALS = frozenset({"nces", "sims"})  # organizations that number schools and people
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
# The first two numbers of a date that does not begin with the year.
PARTS = r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.][0-9]{2,4}"


@dataclass(frozen=True, eq=False)
class SourceColumn:
    """One column of a file."""

    file: str
    name: str  # as written in the header
    rows: int  # of the file
    cells: pl.Series  # trimmed; without blank ones

    @cached_property
    def distinct(self) -> pl.Series:
        """The distinct values, sorted."""
        return self.cells.unique().sort()

    @property
    def unique(self) -> bool:
        """Whether each row has a different value; in many rows, up to 2% may not."""
        return self.rows > 0 and self.distinct.len() >= self.rows - self.rows // 50

    @property
    def closed(self) -> bool:
        """Whether the column has few distinct values, which may be written out."""
        return 0 < self.distinct.len() <= FEW_VALUES

    @cached_property
    def emails(self) -> bool:
        """Whether the values are email addresses."""
        return self._mostly(EMAIL)

    @cached_property
    def dates(self) -> bool:
        """Whether the values are dates, in any order of their parts."""
        return self._mostly(DATE)

    @cached_property
    def fit_for_ids(self) -> bool:
        """Whether all values are valid ids."""
        return bool(self.distinct.str.contains(ID).all())

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the name."""
        return words_of(self.name)

    def determines(self, other: SourceColumn) -> bool:
        """Whether each value has one value of another column of the file; if both are filled."""
        if not self.rows == self.cells.len() == other.cells.len():
            return True
        pairs = pl.DataFrame({"own": self.cells, "other": other.cells})
        return pairs.n_unique() == self.distinct.len()

    def _mostly(self, pattern: str) -> bool:
        hits = self.distinct.str.contains(pattern).sum() if self.distinct.len() else 0
        return hits > 0 and hits >= MOST * self.distinct.len()


Columns = dict[str, list[SourceColumn]]


def columns_of_files(raw: Raw) -> Columns:
    """Return the columns of each file that has rows."""
    return {name: _columns(file) for name, file in sorted(raw.files.items()) if file.frame.height}


def _columns(file: RawFile) -> list[SourceColumn]:
    return [
        SourceColumn(file.name, name, file.frame.height, _cells(file.frame[name]))
        for name in file.frame.columns
        if name != ROW
    ]


def _cells(column: pl.Series) -> pl.Series:
    """The filled cells of a column.

    A series and no expression: an expression would read `*` in a name as a pattern.
    """
    cells = column.str.strip_chars()
    return cells.filter((cells != "").fill_null(value=False))


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, in lower case and in the singular.

    `PupilIDs`, `pupil_id` and `Pupil Id` are `pupil`, `id`.
    """
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


def date_order_line(columns: list[SourceColumn]) -> DraftLine | None:
    """Return the line of `date_order`: open if it is not certain, None if there are no dates."""
    dates = [one for one in columns if one.dates]
    if not dates:
        return None
    cells = pl.concat([one.cells for one in dates]).to_frame("cell")
    parts = cells.select(
        first=pl.col("cell").str.extract(PARTS, 1), second=pl.col("cell").str.extract(PARTS, 2)
    ).drop_nulls()
    names = ", ".join(f"{one.name!r} of {one.file}" for one in dates)
    if not parts.height:
        return DraftLine("date_order", toml_string("ymd"), f"the year stands first in {names}")
    first, second = (int((parts[name].cast(pl.Int32) > 12).sum()) for name in ("first", "second"))
    return _order_line(first, second, parts.height, names)


def _order_line(first: int, second: int, rows: int, names: str) -> DraftLine:
    """Decide by how many dates have a first or a second number above 12, which is a day."""
    dates = count_of(rows, "dates")
    if first and second * 10 < first:
        return DraftLine(
            "date_order",
            toml_string("dmy"),
            f"the first number is greater than 12 in {first:,} of {dates} of {names}",
        )
    if second and first * 10 < second:
        return DraftLine(
            "date_order",
            toml_string("mdy"),
            f"the second number is greater than 12 in {second:,} of {dates} of {names}",
        )
    why = (
        "no number is greater than 12"
        if not first + second
        else f"{count_of(first, 'first numbers')} and {count_of(second, 'second numbers')} are "
        "greater than 12"
    )
    return DraftLine(
        "date_order", toml_string(""), f"dmy (day first) or mdy? Of {names} {why}", open=True
    )
