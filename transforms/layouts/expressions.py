"""The functions with which a layout declares its columns: `text("Student_id")`, `iso_date("DOB")`.

Each returns a `Cell`: the columns of the file that it reads, and a polars expression over them. A
value that cannot be normalized stays as it was, so that the check rejects it with its own text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from types import MappingProxyType
from typing import Literal
from unicodedata import normalize
from zoneinfo import ZoneInfo

import polars as pl

from transforms.layouts.ids import DISTRICT, make_full_id, make_id, make_ids
from transforms.layouts.options import DateOrder, ReadingOptions
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
from transforms.names import without_accents_each

ITEMS = re.compile(r"[,;|]")


@dataclass(frozen=True)
class Cell:
    """How to compute one column of the roster, or a condition."""

    reads: tuple[str, ...]  # columns of the file
    of: Callable[[ReadingOptions], pl.Expr]  # the expression, with the settings of a feed
    holds_without: bool = False  # a condition that holds in a file without these columns
    made: bool = False  # an id that `derived` or `digested` makes
    # columns that it reads as dates, and whether a clock without an offset is in UTC
    dates: tuple[tuple[str, bool], ...] = ()
    inferred: bool = False  # no column has the value: the layout concludes it from others


def text(column: str) -> Cell:
    """Take the text of a column as it is."""
    return Cell((column,), lambda _: pl.col(column))


def constant(value: str) -> Cell:
    """Write the same text in each row."""
    return Cell((), lambda _: pl.lit(value))


def district() -> Cell:
    """Refer to the org above all others, which the drop or the feed file names."""
    return constant(DISTRICT)


def lowered(cell: Cell) -> Cell:
    """Convert a cell to lower case, for keys that two files write differently."""
    return Cell(cell.reads, lambda dialect: cell.of(dialect).str.to_lowercase())


def first(*cells: Cell) -> Cell:
    """Take the first cell that is not blank."""
    made = any(cell.made for cell in cells)
    return Cell(
        columns_of(cells),
        lambda dialect: pl.coalesce(*(cell.of(dialect) for cell in cells)),
        made=made,
        dates=tuple(one for cell in cells for one in cell.dates),
    )


def joined(*cells: Cell, separator: str = " ") -> Cell:
    """Join the cells that are not blank."""
    return Cell(
        columns_of(cells), lambda dialect: _joined([cell.of(dialect) for cell in cells], separator)
    )


def given(cell: Cell, *columns: str) -> Cell:
    """Take a cell if all these columns are filled; otherwise, blank."""
    return Cell(
        (*cell.reads, *columns), lambda dialect: pl.when(all_filled(columns)).then(cell.of(dialect))
    )


def filled(*columns: str) -> Cell:
    """Whether all columns are filled."""
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


def is_any(column: str, *words: str) -> Cell:
    """Whether a column has one of these words, in any case."""
    return Cell(
        (column,),
        lambda _: pl.col(column).str.to_lowercase().is_in([word.casefold() for word in words]),
    )


def is_none(column: str, *words: str) -> Cell:
    """Whether a column is blank or has none of these words, in any case."""
    found = is_any(column, *words)
    return Cell(
        (column,), lambda dialect: ~found.of(dialect).fill_null(value=False), holds_without=True
    )


def derived(kind: str, *parts: Cell, needs: int | None = None) -> Cell:
    """Make a stable id from a kind and parts, such as `course/elm/MATH101` (see `ids`).

    It is blank if one of the first `needs` parts is blank (None: any part). Further blank parts are
    left out. Days are those that the file has, whatever the time zone of the feed is.
    """
    wanted = len(parts) if needs is None else needs
    return Cell(
        columns_of(parts),
        lambda dialect: make_id(kind, [part.of(dialect.zoneless) for part in parts], wanted),
        made=True,
    )


def where_several(cell: Cell, *key: Cell, where: Cell | None = None) -> Cell:
    """Take a cell where the rows with the same key differ in it; otherwise, blank.

    It is in lower case and without accents and needless spaces, which make no difference. Only rows
    for which `where` holds count.
    """
    conditions = () if where is None else (where,)

    def of(dialect: ReadingOptions) -> pl.Expr:
        own = without_accents_each(cell.of(dialect))
        counted = own if where is None else pl.when(where.of(dialect)).then(own)
        keys = [one.of(dialect).str.normalize("NFC").str.strip_chars() for one in key]
        return pl.when(counted.drop_nulls().n_unique().over(keys) > 1).then(own)

    return Cell(columns_of((cell, *key, *conditions)), of)


def derived_each(kind: str, column: str) -> Cell:
    """Make a list of ids with one part each, from the items of a list in lower case."""
    return Cell(
        (column,),
        lambda _: by_value(
            pl.col(column), lambda cell: make_ids(kind, _listed(normalize("NFC", cell).lower()))
        ),
    )


def digested(kind: str, *parts: Cell, needs: int | None = None) -> Cell:
    """Make an id as `derived` does, but from personal data: a digest such as `contact-9f86d081...`.

    Case, spaces and the form of accents do not change the id.
    """
    wanted = len(parts) if needs is None else needs

    def of(dialect: ReadingOptions) -> pl.Expr:
        readable = make_full_id(kind, [part.of(dialect.zoneless) for part in parts], wanted)
        return by_values(readable, dialect.digests.ids_of)

    return Cell(columns_of(parts), of)


def digested_each(kind: str, column: str) -> Cell:
    """Make a list of ids as `derived_each` does, but from personal data: digests."""

    def of(dialect: ReadingOptions) -> pl.Expr:
        def read(cells: list[str]) -> dict[str, str]:
            readable = {cell: make_ids(kind, _listed(cell.lower())) for cell in cells}
            items = {one for ids in readable.values() for one in ids.split(",") if one}
            made = dialect.digests.ids_of(items)
            return {
                cell: ",".join(made[one] for one in ids.split(",") if one)
                for cell, ids in readable.items()
            }

        return by_values(pl.col(column), read)

    return Cell((column,), of)


def texts(column: str) -> Cell:
    """Read a list whose items are separated by `,`, `;` or `|`."""
    return Cell((column,), lambda _: by_value(pl.col(column), _listed))


def one_of(column: str | Cell, words: Words, vocabulary: str = "") -> Cell:
    """Map the spellings of a word to OneRoster's word.

    `vocabulary` names the table of the feed file that adds spellings.
    """
    cell = _cell(column)

    def of(dialect: ReadingOptions) -> pl.Expr:
        known = {
            word.casefold(): value
            for word, value in (*words.items(), *dialect.words.get(vocabulary, {}).items())
        }
        word = cell.of(dialect)
        return word.str.strip_chars().str.to_lowercase().replace_strict(known, default=word)

    return Cell(cell.reads, of)


def yes_no(column: str) -> Cell:
    """Read `true` or `false`."""
    return one_of(column, YES_NO)


def sex(column: str) -> Cell:
    """Read a sex as OneRoster's word."""
    return one_of(column, SEXES, "sex")


def org_type(column: str) -> Cell:
    """Read the type of an org; every org that teaches is a school."""
    return one_of(column, ORG_TYPES, "org_types")


def role(column: str | Cell) -> Cell:
    """Read a role in an org."""
    return one_of(column, ROLES, "roles")


def class_role(column: str) -> Cell:
    """Read a role in a class."""
    return one_of(column, CLASS_ROLES, "enrollment_roles")


def status(column: str, words: Words = MappingProxyType({})) -> Cell:
    """Read `tobedeleted` where the row says that its record was deleted; otherwise, blank.

    `words` are more spellings: `active` or `tobedeleted` by what the system writes.
    """

    def of(dialect: ReadingOptions) -> pl.Expr:
        more = (*words.items(), *dialect.words.get("states", {}).items())
        own = {word.casefold(): value for word, value in more}
        cell = (
            pl.col(column)
            .str.strip_chars()
            .str.to_lowercase()
            .replace_strict({**STATES, **own}, default=pl.col(column))
        )
        return pl.when(cell != "active").then(cell)

    return Cell((column,), of)


def grades(column: str) -> Cell:
    """Read a grade, a range of grades, or a list of them, as CEDS codes.

    `words.grades` of the feed file adds spellings.
    """

    def of(dialect: ReadingOptions) -> pl.Expr:
        own = dialect.words.get("grades", {})
        return by_value(pl.col(column), lambda cell: _graded(cell, own))

    return Cell((column,), of)


def races(column: str | Cell) -> dict[str, Cell]:
    """Return the race columns of demographics, from a column with letters or words of races.

    Unknown words go into the column for several races, so that the check rejects them with their
    original text.
    """
    cell = _cell(column)
    flags = {race: Cell(cell.reads, _flag(cell, race, words)) for race, words in RACES.items()}
    return flags | {
        SEVERAL_RACES: first(flags[SEVERAL_RACES], Cell(cell.reads, _unknown_races(cell)))
    }


def user_ids(**columns: str) -> Cell:
    """Write ids in other systems, such as `{State:123}`, from one column for each type of id."""

    def of(_: ReadingOptions) -> pl.Expr:
        items = [
            pl.lit(f"{{{kind}:") + pl.col(name) + pl.lit("}") for kind, name in columns.items()
        ]
        return _joined(items, ",")

    return Cell(tuple(columns.values()), of)


def given_name(column: str) -> Cell:
    """Take the given names of a full name (`Ann B Lee`, `Lee, Ann B`); blank for a single word."""
    cell = pl.col(column).str.strip_chars()
    return Cell(
        (column,),
        lambda _: pl.coalesce(
            cell.str.extract(r"^[^,]+,\s*(.+)$"), cell.str.extract(r"^([^,]+)\s+[^,\s]+$")
        ),
    )


def family_name(column: str) -> Cell:
    """Take the family name of a full name; a single word is a family name."""
    cell = pl.col(column).str.strip_chars()
    return Cell(
        (column,),
        lambda _: pl.coalesce(cell.str.extract(r"^([^,]+),"), cell.str.extract(r"([^,\s]+)$")),
    )


def iso_date(column: str, order: DateOrder = "mdy", century: Century = "this") -> Cell:
    """Read a date; a date order in the feed file overrides `order`.

    A timestamp is the day by the clock of the feed's time zone.
    """
    return _date(column, order, century)


def birth_date(column: str, order: DateOrder = "mdy") -> Cell:
    """Read a birth date; a year of two digits is in the century that gives a plausible age."""
    return _date(column, order, "birth")


def utc_date(column: str) -> Cell:
    """Read a date in ISO 8601; a timestamp without an offset is in UTC (Canvas)."""
    return _date(column, "ymd", "this", clock_in_utc=True)


def day_after(cell: Cell) -> Cell:
    """Take the day after a date: OneRoster's ends are exclusive, and a SIS writes the last day.

    Any other text stays as it is.
    """

    def next_day(text: str) -> str:
        try:
            return (date.fromisoformat(text) + timedelta(1)).isoformat()
        except (ValueError, OverflowError):
            return text

    return Cell(cell.reads, lambda dialect: by_value(cell.of(dialect), next_day), dates=cell.dates)


def _date(column: str, order: DateOrder, century: Century, *, clock_in_utc: bool = False) -> Cell:
    def of(dialect: ReadingOptions) -> pl.Expr:
        used = dialect.date_order or order

        def read(cell: str) -> str:
            return day_of(
                cell, used, dialect.today, century, dialect.zone, clock_in_utc=clock_in_utc
            )

        return by_value(pl.col(column), read)

    return Cell((column,), of, dates=((column, clock_in_utc),))


Century = Literal["this", "birth"]
_TIME = (
    r"(?:[T ]([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?"
    r"\s*(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)
# Some exports write a space in place of a zero: `2026-03- 7`.
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.]?) ?([0-9]{{1,2}})\2 ?([0-9]{{1,2}}){_TIME}")
_YEAR_LAST = re.compile(rf"([0-9]{{1,2}})([-/.]) ?([0-9]{{1,2}})\2 ?([0-9]{{4}}|[0-9]{{2}}){_TIME}")
_HALF_DAY = re.compile(r"([0-9]{1,2})(:[0-9:.]+)\s*([AP])M\b", re.IGNORECASE)
# A timestamp with such a clock is a whole day: its beginning, or its last minute.
_WHOLE_DAY = re.compile(r"00?:00(?::00)?|23:59(?::59)?")
# Offsets of timestamps in UTC.
_IN_UTC = re.compile(r"Z|UTC|[+-]00:?00")
YOUNGEST, OLDEST = 2, 100


def day_of(
    text: str,
    order: DateOrder,
    today: date,
    century: Century = "this",
    zone: ZoneInfo | None = None,
    *,
    clock_in_utc: bool = False,
) -> str:
    """Convert a date to ISO 8601; return the text itself if it is no date in this order.

    A year of four digits in front is unambiguous, so `order` does not matter. A year of two digits
    is in this century; with `century` birth, in the century in which the person is between 2 and
    100 years old.

    A timestamp is the day in the time zone of the feed (None: the day that is written). Midnight,
    or the last minute of a day, is always the day that is written: a day that was exported as a
    timestamp. A timestamp without an offset has the clock of the feed, or is in UTC.
    """
    day, clock, offset = _written_date(text, order, today, century)
    if zone is None or not _is_in_other_zone(clock, offset, clock_in_utc=clock_in_utc):
        return day
    hour, minute = clock.split(":")[:2]
    sign = offset if offset.startswith(("+", "-")) else "+00:00"
    try:
        timestamp = datetime.fromisoformat(f"{day}T{hour:>02}:{minute}{sign}").astimezone(zone)
    except (ValueError, OverflowError):
        return text  # no such clock or offset
    return timestamp.date().isoformat()


def _written_date(
    text: str, order: DateOrder, today: date, century: Century
) -> tuple[str, str, str]:
    """Return the day that is written, the clock and the offset, each blank if there is none.

    If the text is no date in this order, it takes the place of the day.
    """
    cell = _in_24_hours(text.strip())
    if match := _YEAR_FIRST.fullmatch(cell):
        year, separator, month, day, clock, offset = match.groups(default="")
        whole = bool(separator) or len(month + day) == 4
        return (_iso(int(year), month, day, text) if whole else text), clock, offset
    if order == "ymd" or not (match := _YEAR_LAST.fullmatch(cell)):
        return text, "", ""
    first, _, second, year, clock, offset = match.groups(default="")
    month, day = (first, second) if order != "dmy" else (second, first)
    full = int(year) if len(year) == 4 else _year_of(int(year), today, century)
    return (_iso(full, month, day, text) if full else text), clock, offset


def _in_24_hours(cell: str) -> str:
    """Write a clock such as 12:00:00 AM as 0:00:00; databases put it behind each day."""
    return _HALF_DAY.sub(
        lambda found: f"{int(found[1]) % 12 + 12 * (found[3] in 'Pp')}{found[2]}", cell
    )


def _is_in_other_zone(clock: str, offset: str, *, clock_in_utc: bool) -> bool:
    """Whether a timestamp was written by another clock than the feed's, and is no whole day."""
    return bool(clock and (offset or clock_in_utc) and not _WHOLE_DAY.fullmatch(clock))


def needs_zone(text: str, clock_in_utc: bool) -> bool:
    """Whether the day of a timestamp depends on a time zone that its text does not name.

    That is: a timestamp in UTC which is no whole day. One with another offset was written by the
    clock of its place.
    """
    cell = _in_24_hours(text.strip())
    match = _YEAR_FIRST.fullmatch(cell) or _YEAR_LAST.fullmatch(cell)
    clock, offset = match.groups(default="")[-2:] if match else ("", "")
    in_utc = not offset or _IN_UTC.fullmatch(offset)
    return bool(in_utc) and _is_in_other_zone(clock, offset, clock_in_utc=clock_in_utc)


def _year_of(two_digits: int, today: date, century: Century) -> int:
    """Return the year that two digits mean; 0 if no century gives a plausible age."""
    this = today.year - today.year % 100 + two_digits
    if century == "this":
        return this
    return next((year for year in (this, this - 100) if YOUNGEST <= today.year - year <= OLDEST), 0)


def _iso(year: int, month: str, day: str, text: str) -> str:
    try:
        return date(year, int(month), int(day)).isoformat()
    except ValueError:
        return text


def by_value(cell: pl.Expr, convert: Callable[[str], str]) -> pl.Expr:
    """Convert each distinct value once: columns of dates and grades have few."""
    return by_values(cell, lambda values: {value: convert(value) for value in values})


def by_values(cell: pl.Expr, convert: Callable[[list[str]], dict[str, str]]) -> pl.Expr:
    """Convert all distinct values together."""

    def replace(cells: pl.Series) -> pl.Series:
        values = convert(cells.drop_nulls().unique().to_list())
        return cells.replace_strict(
            {value: result or None for value, result in values.items()},
            default=None,
            return_dtype=pl.String,
        )

    return cell.map_batches(replace, return_dtype=pl.String, is_elementwise=True)


def columns_of(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    """Return the columns that several cells read, each once."""
    return tuple(dict.fromkeys(column for cell in cells for column in cell.reads))


def all_filled(columns: tuple[str, ...]) -> pl.Expr:
    """Return an expression: whether all columns are filled."""
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


def _flag(cell: Cell, race: str, words: tuple[str, ...]) -> Callable[[ReadingOptions], pl.Expr]:
    known = {race.casefold(), *words}

    def of(dialect: ReadingOptions) -> pl.Expr:
        own = {
            word.casefold()
            for word, meaning in dialect.words.get("races", {}).items()
            if meaning == race
        }
        has_race = _races_in(cell, dialect).list.eval(pl.element().is_in(sorted(known | own)))
        return pl.when(has_race.list.any()).then(pl.lit("true"))

    return of


def _unknown_races(cell: Cell) -> Callable[[ReadingOptions], pl.Expr]:
    known = {
        *NO_RACE,
        *(word for race, words in RACES.items() for word in (race.casefold(), *words)),
    }

    def of(dialect: ReadingOptions) -> pl.Expr:
        words = sorted(known | {word.casefold() for word in dialect.words.get("races", {})})
        unknown = (
            _races_in(cell, dialect)
            .list.eval(pl.element().filter(~pl.element().is_in(words)))
            .list.join(",")
        )
        return pl.when(unknown != "").then(unknown)

    return of


def _races_in(cell: Cell, dialect: ReadingOptions) -> pl.Expr:
    return (
        cell.of(dialect).str.to_lowercase().str.split(",").list.eval(pl.element().str.strip_chars())
    )
