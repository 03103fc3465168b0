"""The words in which a layout says what a column of the roster is made of: `text("Student_id")`, `iso_date("DOB")`, ...

Each gives a `Cell`: the columns of the file that it reads, and the expression over them. A value that cannot be read
stays as it was, so that the check rejects it with its own text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Literal

import polars as pl

from transforms.layouts.ids import DISTRICT, key_of, keys_of, whole_key_of
from transforms.layouts.options import DateOrder, Dialect
from transforms.layouts.vocabulary import (
    CLASS_ROLES,
    NO_RACE,
    ORG_TYPES,
    RACES,
    ROLES,
    SEVERAL_RACES,
    SEXES,
    STATES,
    YES_NO,
    Words,
    grade_of,
)

ITEMS = re.compile(r"[,;|]")


@dataclass(frozen=True)
class Cell:
    """What one column is made of: `reads` are columns of the file, `of` gives the expression as a district writes.

    `holds_without` is for conditions: whether it holds in a file that has none of these columns. `made` says that it is
    an id by a rule.
    """

    reads: tuple[str, ...]
    of: Callable[[Dialect], pl.Expr]
    holds_without: bool = False
    made: bool = False


def text(column: str) -> Cell:
    """The text of a column, as it is."""
    return Cell((column,), lambda _: pl.col(column))


def constant(value: str) -> Cell:
    """The same text in each row."""
    return Cell((), lambda _: pl.lit(value))


def district() -> Cell:
    """The organisation above all others, which the drop or the feed's file names."""
    return constant(DISTRICT)


def lowered(cell: Cell) -> Cell:
    """A cell in lower case, for keys that two files write differently."""
    return Cell(cell.reads, lambda dialect: cell.of(dialect).str.to_lowercase())


def first(*cells: Cell) -> Cell:
    """The first of several that is not blank."""
    made = any(cell.made for cell in cells)
    return Cell(
        columns_of(cells),
        lambda dialect: pl.coalesce(*(cell.of(dialect) for cell in cells)),
        made=made,
    )


def joined(*cells: Cell, separator: str = " ") -> Cell:
    """Those of several that are not blank, with something between them."""
    return Cell(
        columns_of(cells), lambda dialect: _joined([cell.of(dialect) for cell in cells], separator)
    )


def given(cell: Cell, *columns: str) -> Cell:
    """A cell where these columns are filled; blank elsewhere."""
    return Cell(
        (*cell.reads, *columns), lambda dialect: pl.when(all_filled(columns)).then(cell.of(dialect))
    )


def derived(kind: str, *parts: Cell, needs: int | None = None) -> Cell:
    """An id by a stable rule: the kind and the parts of which it is made, such as `course/elm/MATH101`.

    Blank if one of the first `needs` parts is (None: any of them); blank parts after those are left out.
    """
    wanted = len(parts) if needs is None else needs
    return Cell(
        columns_of(parts),
        lambda dialect: key_of(kind, [part.of(dialect) for part in parts], wanted),
        made=True,
    )


def derived_each(kind: str, column: str) -> Cell:
    """Ids of one part each, of the items of a list in lower case."""
    return Cell(
        (column,),
        lambda _: by_value(pl.col(column), lambda cell: keys_of(kind, _listed(cell.lower()))),
    )


def digested(kind: str, *parts: Cell, needs: int | None = None) -> Cell:
    """An id as `derived` makes it, of personal data: a digest, in which nobody reads the parts, such as `contact-9f86d081...`.

    Case, spaces and the form of accents make no other id.
    """
    wanted = len(parts) if needs is None else needs

    def of(dialect: Dialect) -> pl.Expr:
        return by_value(
            whole_key_of(kind, [part.of(dialect) for part in parts], wanted), dialect.digests.id_of
        )

    return Cell(columns_of(parts), of)


def digested_each(kind: str, column: str) -> Cell:
    """Ids as `derived_each` makes them, of personal data: digests."""

    def of(dialect: Dialect) -> pl.Expr:
        def read(cell: str) -> str:
            readable = filter(None, keys_of(kind, _listed(cell.lower())).split(","))
            return ",".join(map(dialect.digests.id_of, readable))

        return by_value(pl.col(column), read)

    return Cell((column,), of)


def texts(column: str) -> Cell:
    """A list, whatever of `,`, `;` and `|` separates its items."""
    return Cell((column,), lambda _: by_value(pl.col(column), _listed))


def one_of(column: str | Cell, words: Words, vocabulary: str = "") -> Cell:
    """A word of a vocabulary by any of its spellings; `vocabulary` is the table of a feed's file that adds more."""
    cell = _cell(column)

    def of(dialect: Dialect) -> pl.Expr:
        known = {
            word.casefold(): value
            for word, value in (*words.items(), *dialect.words.get(vocabulary, {}).items())
        }
        word = cell.of(dialect)
        return word.str.strip_chars().str.to_lowercase().replace_strict(known, default=word)

    return Cell(cell.reads, of)


def iso_date(column: str, order: DateOrder = "mdy", century: Century = "this") -> Cell:
    """A day; `order` is the layout's, where the feed's file says no other."""

    def of(dialect: Dialect) -> pl.Expr:
        said = dialect.date_order or order
        return by_value(pl.col(column), lambda cell: day_of(cell, said, dialect.today, century))

    return Cell((column,), of)


def birth_date(column: str, order: DateOrder = "mdy") -> Cell:
    """A day of birth: a year of two digits is the one that makes a plausible age."""
    return iso_date(column, order, "birth")


def grades(column: str) -> Cell:
    """A grade, a range of grades or a list of them, in CEDS words; further ones are `words.grades` of the feed's file."""

    def of(dialect: Dialect) -> pl.Expr:
        own = dialect.words.get("grades", {})
        return by_value(pl.col(column), lambda cell: _graded(cell, own))

    return Cell((column,), of)


def yes_no(column: str) -> Cell:
    """`true` or `false`."""
    return one_of(column, YES_NO)


def sex(column: str) -> Cell:
    """A sex of OneRoster's vocabulary."""
    return one_of(column, SEXES, "sex")


def org_type(column: str) -> Cell:
    """A kind of organisation; whatever teaches is a school."""
    return one_of(column, ORG_TYPES, "org_types")


def role(column: str | Cell) -> Cell:
    """A role in an organisation."""
    return one_of(column, ROLES, "roles")


def class_role(column: str) -> Cell:
    """A role in a class."""
    return one_of(column, CLASS_ROLES, "enrollment_roles")


def status(column: str) -> Cell:
    """`tobedeleted` where the row says that its record is gone, else blank."""

    def of(dialect: Dialect) -> pl.Expr:
        own = {word.casefold(): value for word, value in dialect.words.get("states", {}).items()}
        cell = (
            pl.col(column)
            .str.strip_chars()
            .str.to_lowercase()
            .replace_strict({**STATES, **own}, default=pl.col(column))
        )
        return pl.when(cell != "active").then(cell)

    return Cell((column,), of)


def races(column: str | Cell) -> dict[str, Cell]:
    """The columns of demographics that say a race, from one that holds its letter, its word, or several of them.

    Words that nobody knows stand where a further race would, so that the check rejects them with their own text.
    """
    cell = _cell(column)
    flags = {race: Cell(cell.reads, _flag(cell, race, words)) for race, words in RACES.items()}
    return flags | {
        SEVERAL_RACES: first(flags[SEVERAL_RACES], Cell(cell.reads, _unknown_races(cell)))
    }


def user_ids(**columns: str) -> Cell:
    """Ids in other systems, such as `{State:123}`, by the type of each."""

    def of(_: Dialect) -> pl.Expr:
        items = [
            pl.lit(f"{{{kind}:") + pl.col(name) + pl.lit("}") for kind, name in columns.items()
        ]
        return _joined(items, ",")

    return Cell(tuple(columns.values()), of)


def given_name(column: str) -> Cell:
    """The given names of a whole name, as `Ann B Lee` or `Lee, Ann B`; blank of a single word."""
    cell = pl.col(column).str.strip_chars()
    return Cell(
        (column,),
        lambda _: pl.coalesce(
            cell.str.extract(r"^[^,]+,\s*(.+)$"), cell.str.extract(r"^([^,]+)\s+[^,\s]+$")
        ),
    )


def family_name(column: str) -> Cell:
    """The family name of a whole name; all of a single word."""
    cell = pl.col(column).str.strip_chars()
    return Cell(
        (column,),
        lambda _: pl.coalesce(cell.str.extract(r"^([^,]+),"), cell.str.extract(r"([^,\s]+)$")),
    )


def by_value(cell: pl.Expr, reading: Callable[[str], str]) -> pl.Expr:
    """Read each distinct value once; columns of dates and grades have few."""

    def read(cells: pl.Series) -> pl.Series:
        values = cells.drop_nulls().unique()
        return cells.replace_strict(
            {value: reading(value) or None for value in values},
            default=None,
            return_dtype=pl.String,
        )

    return cell.map_batches(read, return_dtype=pl.String, is_elementwise=True)


def columns_of(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    """The columns that several cells read, each once."""
    return tuple(dict.fromkeys(column for cell in cells for column in cell.reads))


def all_filled(columns: tuple[str, ...]) -> pl.Expr:
    """Whether columns are filled."""
    return reduce(
        lambda one, other: one & other, (pl.col(column).is_not_null() for column in columns)
    )


def _cell(column: str | Cell) -> Cell:
    return text(column) if isinstance(column, str) else column


def _joined(cells: list[pl.Expr], separator: str) -> pl.Expr:
    whole = pl.concat_str(cells, separator=separator, ignore_nulls=True)
    return pl.when(whole != "").then(whole)


def _listed(cell: str) -> str:
    return ",".join(item for item in map(str.strip, ITEMS.split(cell)) if item)


def _graded(cell: str, own: Mapping[str, str]) -> str:
    items = (grade_of(item, own) for item in _listed(cell).split(","))
    return ",".join(dict.fromkeys(grade for item in items for grade in item.split(",") if grade))


def _flag(cell: Cell, race: str, words: tuple[str, ...]) -> Callable[[Dialect], pl.Expr]:
    known = {race.casefold(), *words}

    def of(dialect: Dialect) -> pl.Expr:
        own = {
            word.casefold()
            for word, meant in dialect.words.get("races", {}).items()
            if meant == race
        }
        hit = _races_in(cell, dialect).list.eval(pl.element().is_in(sorted(known | own))).list.any()
        return pl.when(hit).then(pl.lit("true"))

    return of


def _unknown_races(cell: Cell) -> Callable[[Dialect], pl.Expr]:
    known = {
        *NO_RACE,
        *(word for race, words in RACES.items() for word in (race.casefold(), *words)),
    }

    def of(dialect: Dialect) -> pl.Expr:
        words = sorted(known | {word.casefold() for word in dialect.words.get("races", {})})
        unknown = (
            _races_in(cell, dialect)
            .list.eval(pl.element().filter(~pl.element().is_in(words)))
            .list.join(",")
        )
        return pl.when(unknown != "").then(unknown)

    return of


def _races_in(cell: Cell, dialect: Dialect) -> pl.Expr:
    return (
        cell.of(dialect).str.to_lowercase().str.split(",").list.eval(pl.element().str.strip_chars())
    )


def filled(*columns: str) -> Cell:
    """Whether columns are filled."""
    return Cell(columns, lambda _: all_filled(columns))


def either(*columns: str) -> Cell:
    """Whether any of the columns is filled."""
    return Cell(
        columns, lambda _: pl.any_horizontal(pl.col(column).is_not_null() for column in columns)
    )


def blank(*columns: str) -> Cell:
    """Whether none of the columns is filled."""
    return Cell(
        columns,
        lambda _: pl.all_horizontal(pl.col(column).is_null() for column in columns),
        holds_without=True,
    )


def both(*cells: Cell) -> Cell:
    """Whether all of several conditions hold."""
    without = all(cell.holds_without for cell in cells)
    return Cell(
        columns_of(cells),
        lambda dialect: pl.all_horizontal(cell.of(dialect) for cell in cells),
        without,
    )


def is_none(column: str, *words: str) -> Cell:
    """Whether a column is blank or has none of these words, in any case."""
    found = is_any(column, *words)
    return Cell(
        (column,), lambda dialect: ~found.of(dialect).fill_null(value=False), holds_without=True
    )


def is_any(column: str, *words: str) -> Cell:
    """Whether a column has one of these words, in any case."""
    return Cell(
        (column,),
        lambda _: pl.col(column).str.to_lowercase().is_in([word.casefold() for word in words]),
    )


Century = Literal["this", "birth"]
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.]?)(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
YOUNGEST, OLDEST = 2, 100


def day_of(text: str, order: DateOrder, today: date, century: Century = "this") -> str:
    """Give a day. A year of four digits in front is certain in any order; one of two digits is of this century.

    With `century` birth it is of the century that makes the person between two and a hundred years old.
    """
    cell = text.strip()
    if found := _YEAR_FIRST.fullmatch(cell):
        year, separator, month, day = found.groups()
        return _written(int(year), month, day, text) if separator or len(month + day) == 4 else text
    if order == "ymd" or not (found := _YEAR_LAST.fullmatch(cell)):
        return text
    first, _, second, year = found.groups()
    month, day = (first, second) if order != "dmy" else (second, first)
    full = int(year) if len(year) == 4 else _year(int(year), today, century)
    return _written(full, month, day, text) if full else text


def _year(short: int, today: date, century: Century) -> int:
    here = today.year - today.year % 100 + short
    if century == "this":
        return here
    return next((year for year in (here, here - 100) if YOUNGEST <= today.year - year <= OLDEST), 0)


def _written(year: int, month: str, day: str, text: str) -> str:
    try:
        return date(year, int(month), int(day)).isoformat()
    except ValueError:
        return text
