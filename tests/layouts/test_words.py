"""The shared vocabulary: days in a declared order, grades, ids, and what spreadsheets make of them."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.judging import TODAY
from transforms.layouts import (
    ReadingOptions,
    derived,
    derived_each,
    family_name,
    given_name,
    grades,
    one_of,
    races,
    status,
    text,
    yes_no,
)
from transforms.layouts.expressions import Cell, day_of
from transforms.layouts.ids import LONGEST, escape
from transforms.layouts.options import DateOrder
from transforms.layouts.vocabulary import GRADES, grade_of

DIALECT = ReadingOptions(TODAY)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
ORDERS: dict[DateOrder, str] = {
    "mdy": "{0.month}/{0.day}/{0.year}",
    "dmy": "{0.day}.{0.month}.{0.year}",
    "ymd": "{0.year}-{0.month:02}-{0.day:02}",
}
TEXTS = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() == text)


def read(cell: Cell, *values: str | None, dialect: ReadingOptions = DIALECT) -> list[str | None]:
    """What a cell makes of the values of the one column that it reads."""
    frame = pl.DataFrame({cell.reads[0]: list(values)}, schema={cell.reads[0]: pl.String})
    return frame.select(cell.of(dialect).cast(pl.String).alias("value"))["value"].to_list()


@given(DAYS, st.sampled_from(list(ORDERS)))
def test_a_day_is_read_in_the_declared_order(day: date, order: DateOrder) -> None:
    """Whatever day it is: the order is never guessed from the row."""
    assert day.isoformat() == day_of(ORDERS[order].format(day), order, TODAY)


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("8/17/2026 12:00:00 AM", "America/Denver", "2026-08-17"),
        ("8/17/2026 12:00 am", None, "2026-08-17"),
        ("2026-08-17 11:30:00.000 PM +00:00", "America/Denver", "2026-08-17"),
        ("8/17/2026 1:05 AM Z", "America/Denver", "2026-08-16"),
        ("8/17/2026 12:05 PM Z", "Pacific/Auckland", "2026-08-18"),
    ],
)
def test_a_clock_may_have_twelve_hours(text: str, zone: str | None, day: str) -> None:
    """As databases and spreadsheets in America write each day; midnight is that day."""
    assert day == day_of(text, "mdy", TODAY, zone=ZoneInfo(zone) if zone else None)


@given(DAYS, st.sampled_from(list(ORDERS)))
def test_a_day_that_begins_with_its_year_is_certain(day: date, order: DateOrder) -> None:
    """In any order, with or without separators and a time."""
    assert {day.isoformat()} == {
        day_of(text, order, TODAY)
        for text in (
            day.isoformat(),
            day.strftime("%Y%m%d"),
            f"{day.isoformat()}T00:00:00Z",
            f"{day.year}-{day.month}-{day.day} 00:00:00",
        )
    }


@pytest.mark.parametrize(
    "text", ["13/40/2012", "2026-02-30", "31.4.2026", "tomorrow", "1/2", "20261301", "3/4-2026", ""]
)
def test_what_is_no_day_stays_as_it_is(text: str) -> None:
    """So that the check rejects it by its own text."""
    assert text == day_of(text, "mdy", TODAY)


@pytest.mark.parametrize(
    ("text", "term", "birth"),
    [
        ("8/14/17", "2017-08-14", "2017-08-14"),
        ("8/14/61", "2061-08-14", "1961-08-14"),
        ("8/14/26", "2026-08-14", "1926-08-14"),
    ],
)
def test_a_year_of_two_digits_is_of_this_century_or_a_plausible_age(
    text: str, term: str, birth: str
) -> None:
    """Terms are of this century; people are between two and a hundred years old."""
    assert (term, birth) == (day_of(text, "mdy", TODAY), day_of(text, "mdy", TODAY, "birth"))


def test_days_of_another_order_are_not_read() -> None:
    """A feed that declares year first has no 3/4/2026."""
    assert "3/4/2026" == day_of("3/4/2026", "ymd", TODAY)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("1", "01"),
        ("01", "01"),
        ("Kindergarten", "KG"),
        ("0", "KG"),
        ("K", "KG"),
        ("Prekindergarten", "PK"),
        ("PostGraduate", "PS"),
        ("Ungraded", "UG"),
        ("9th Grade", "09"),
        ("6-8", "06,07,08"),
        ("K-2", "KG,01,02"),
        ("7,8", "07,08"),
        ("9; 10", "09,10"),
        ("12", "12"),
        ("99", "99"),
        ("-1", "-1"),
        ("-2", "-2"),
        ("Year 7", "Year 7"),
        ("Y7", "Y7"),
        ("Multiple", "Multiple"),
        ("K2", "K2"),
        ("8-6", "8-6"),
    ],
)
def test_grades_become_those_of_the_standard(text: str, grade: str) -> None:
    """A range or a list is several; a word that is unknown stays visible."""
    assert [grade] == read(grades("Grade"), text)


def test_a_district_may_have_words_of_its_own() -> None:
    """They come first."""
    dialect = ReadingOptions(
        TODAY,
        words={
            "grades": {"Young Fives": "PK", "1": "KG", "-1": "PK", "Year 7": "06"},
            "roles": {"Coach": "aide"},
        },
    )

    words = ("Young Fives", "1", "2", "-1", "Year 7")
    assert ["PK", "KG", "02", "PK", "06"] == read(grades("Grade"), *words, dialect=dialect)
    assert ["aide"] == read(one_of("role", {}, "roles"), "COACH", dialect=dialect)


@given(st.sampled_from(sorted(set(GRADES.values()))))
def test_a_grade_of_the_standard_stays(grade: str) -> None:
    """Reading twice is reading once."""
    assert grade == grade_of(grade, {})


def test_yes_and_no() -> None:
    """In all their spellings; what is neither stays."""
    assert ["true", "true", "true", "false", "false", "maybe", None] == read(
        yes_no("a"), "Y", "TRUE", "1", "n", "0", "maybe", None
    )


def test_a_race_that_nobody_knows_stays_visible() -> None:
    """Where the check rejects it; a district may say what it means, and `unknown` means nothing."""
    cell = races("Race")["demographicRaceTwoOrMoreRaces"]
    own = ReadingOptions(TODAY, words={"races": {"9": "asian"}})

    assert ["9", "zz", None, None, "true"] == read(cell, "9", "A, zz", "Unknown", None, "M")
    assert [None, "zz"] == read(cell, "9", "zz", dialect=own)


def test_races_are_letters_words_or_lists() -> None:
    """One column says all of them."""
    flags = {name: read(cell, "W", "asian, white", None) for name, cell in races("Race").items()}

    assert ["true", "true", None] == flags["white"]
    assert [None, "true", None] == flags["asian"]
    assert [None, None, None] == flags["blackOrAfricanAmerican"]


def test_a_state_is_blank_unless_the_record_is_gone() -> None:
    """Completed is no deletion; what is unknown stays visible."""
    assert [None, None, "tobedeleted", "tobedeleted", "odd", None] == read(
        status("s"), "Active", "completed", "deleted", "Inactive", "odd", None
    )


def test_names_in_one_column() -> None:
    """With and without a comma; a single word is a family name."""
    names = ("Ben Q Grove", "Grove, Ben Q", "Cher", None)

    assert ["Ben Q", "Ben Q", None, None] == read(given_name("n"), *names)
    assert ["Grove", "Grove", "Cher", None] == read(family_name("n"), *names)


@given(TEXTS, TEXTS)
def test_different_parts_make_different_ids(one: str, other: str) -> None:
    """Nobody becomes somebody else by a sign in a name; and the same parts make the same id."""
    keys = read(derived("k", text("a")), one, other)

    assert (one == other) == (keys[0] == keys[1])
    assert keys == read(derived("k", text("a")), one, other)


@given(TEXTS)
def test_ids_have_signs_that_ids_may_have(part: str) -> None:
    """Letters, digits and . - _ / @, and no more of them than fit."""
    key = read(derived("kind", text("a")), part * 9)[0] or ""

    assert "" == key.strip("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_/@")
    assert len(key) <= LONGEST


def test_an_id_lacks_nothing_that_it_needs() -> None:
    """A blank part makes no id; a list makes one of each item, whatever its case."""
    assert [None] == read(derived("k", text("a")), None)
    assert ["g/a@40b.c,g/d"] == read(derived_each("g", "a"), "A@b.c, d")
    assert "a@2fb" == escape("a/b")
