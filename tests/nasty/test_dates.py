"""Dates as exports write them: read where one day can be meant; otherwise a setting says which."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.drops import read
from tests.judging import TODAY, errors, judged, rules
from tests.layouts.normalizing import judged as judged_roster
from tests.layouts.normalizing import normalized, written
from tests.rosters import Rows, changed, district, drop
from transforms.binding.dates import proven_order
from transforms.checks import Checked, check
from transforms.layouts.options import DateOrder, ReadingOptions
from transforms.sources import normalize


def with_starts(*days: str) -> Rows:
    """Return the district with these first days of its enrollments."""
    rows = district()
    for number, day in enumerate(days, 1):
        rows = changed(rows, f"e{number}", beginDate=day)
    return rows


def starts(folder: Path, rows: Rows, order: DateOrder = "") -> tuple[list[str | None], Checked]:
    """Return the first days of the accepted enrollments, and the check."""
    options = ReadingOptions(TODAY, date_order=order)
    checked = check(normalize("oneroster", read(drop(folder, rows)), options), {})
    return checked.standing["enrollments"].accepted["beginDate"].to_list(), checked


CERTAIN = (
    ("2017/4/1", "2017-04-01", "respelled"),
    ("2026.8.10", "2026-08-10", "respelled"),
    ("20260810", "2026-08-10", "respelled"),
    ("2012-03- 7", "2012-03-07", "respelled"),
    ("2026/08/10 00:00:00", "2026-08-10", "respelled"),
    ("8/27/2018", "2018-08-27", "date_read"),
    ("27.8.2018", "2018-08-27", "date_read"),
    ("8/27/2018 12:00:00 AM", "2018-08-27", "date_read"),
    ("5/5/2018", "2018-05-05", "date_read"),
)


@pytest.mark.parametrize(("cell", "expected", "rule"), CERTAIN)
def test_a_date_that_can_mean_one_day_is_read(
    cell: str, expected: str, rule: str, tmp_path: Path
) -> None:
    """It needs no setting, and the report says that it was read."""
    days, checked = starts(tmp_path, with_starts(cell))

    assert ([expected, None, None], {rule}) == (days, rules(checked))


def test_the_whole_column_proves_the_order(tmp_path: Path) -> None:
    """One date with a 27th day says how its neighbors are meant."""
    days, checked = starts(tmp_path, with_starts("3/4/2026", "8/27/2026", "12/1/2026"))

    (notice,) = [one for one in checked.findings.notices if one.rule == "date_read"]
    assert ["2026-03-04", "2026-08-27", "2026-12-01"] == days
    assert ("beginDate", 3, "with the month first") == (notice.column, notice.count, notice.detail)


ORDERS: tuple[tuple[tuple[str, ...], DateOrder], ...] = (
    (("3/4/2026", "8/27/2026"), "mdy"),
    (("3/4/2026", "27/8/2026"), "dmy"),
    (("27/8/2026", "8/27/2026"), ""),
    (("3/4/2026", "5/5/2026"), ""),
    (("2026/3/4", "8/27/26", "31/31/2026"), ""),
)


@pytest.mark.parametrize(("days", "order"), ORDERS)
def test_a_column_proves_an_order_only_if_no_date_contradicts_it(
    days: tuple[str, ...], order: DateOrder
) -> None:
    """Years of two digits, years in front and damaged dates prove nothing."""
    assert order == proven_order(days)


def test_in_a_column_that_contradicts_itself_only_certain_dates_are_read(tmp_path: Path) -> None:
    """The third date may be a day of March or of April."""
    days, checked = starts(tmp_path, with_starts("27/8/2026", "8/27/2026", "3/4/2026"))

    assert ["2026-08-27", "2026-08-27"] == days
    assert [("enrollments", "e3", "date_order")] == errors(checked)


SETTINGS: tuple[tuple[str, DateOrder, str], ...] = (
    ("3/4/2026", "mdy", "2026-03-04"),
    ("3/4/2026", "dmy", "2026-04-03"),
    ("3/4/26", "dmy", "2026-04-03"),
)


@pytest.mark.parametrize(("cell", "order", "expected"), SETTINGS)
def test_a_doubtful_date_needs_the_setting(
    cell: str, order: DateOrder, expected: str, tmp_path: Path
) -> None:
    """The message names `date_order`, and the setting does what the message says."""
    _, doubtful = starts(tmp_path, with_starts(cell))
    days, _ = starts(tmp_path, with_starts(cell), order)

    assert ([("enrollments", "e1", "date_order")], expected) == (errors(doubtful), days[0])


NO_DATES = (
    "2026-02-30",
    "2/30/2026",
    "31.6.2026",
    "13/13/26",
    "3/4-2026",
    "29/2/2027",
    "-012-03-07",
    "+012-03-07",
    "٢٠٢٦-٠٣-٠٧",
    "2026-09-01T22:00:00Z",
    "soon",
)


@pytest.mark.parametrize("cell", NO_DATES)
def test_no_setting_is_recommended_where_none_helps(cell: str, tmp_path: Path) -> None:
    """The row is rejected as having no date, under `--strict` too."""
    rows = with_starts(cell)

    assert [("enrollments", "e1", "date")] == errors(judged(tmp_path, rows))
    assert [("enrollments", "e1", "date")] == errors(judged(tmp_path, rows, strict=True))


def test_a_birth_date_with_two_digits_is_of_a_plausible_age(tmp_path: Path) -> None:
    """A district's parents were not born in the future."""
    rows = {**district(), "demographics": [{"sourcedId": "ana", "birthDate": "3/4/84"}]}
    options = ReadingOptions(date(2026, 11, 24), date_order="mdy")

    tables = normalize("oneroster", read(drop(tmp_path, rows)), options).tables

    assert ["1984-03-04"] == tables["demographics"].frame["birthDate"].to_list()


DIGITS = (("y", "schoolYear", "٢٠٢٧", "year"), ("cat", "weight", "٢", "integer"))


@pytest.mark.parametrize(("record", "column", "cell", "rule"), DIGITS)
def test_digits_are_those_of_the_standard(
    record: str, column: str, cell: str, rule: str, tmp_path: Path
) -> None:
    """Digits of other scripts pass no check, under `--strict` neither."""
    rows = {**district(), "categories": [{"sourcedId": "cat", "title": "Homework"}]}

    checked = judged(tmp_path, changed(rows, record, **{column: cell}), strict=True)

    assert rule in {one for _, sourced_id, one in errors(checked) if sourced_id == record}


BAD_PERIODS = (("8/27/2018", "5/31/2019"), ("2026-13-01", "2026-01-01"), ("3/4/2026", "2026-01-01"))


@pytest.mark.parametrize(("begin", "end"), BAD_PERIODS)
def test_no_rule_compares_dates_that_are_none(begin: str, end: str, tmp_path: Path) -> None:
    """A date that failed is reported once; the period is not judged by its text."""
    rows = changed(district(), "e1", beginDate=begin, endDate=end)

    assert "period_empty" not in rules(judged(tmp_path, rows))
    assert "period_empty" not in rules(judged(tmp_path, rows, strict=True))


def test_a_layout_with_an_order_of_its_own_needs_the_setting_for_another(tmp_path: Path) -> None:
    """Clever writes the month first; a district that writes the day first has to say so."""
    students = "Student_id,School_id,First_name,Last_name,DOB\n1,10,Ana,Diaz,27/8/2015"
    folder = written(
        tmp_path,
        schools="School_id,School_name\n10,Elm School",
        students=students,
        teachers="Teacher_id,School_id,First_name,Last_name\n2,10,Tia,Tang",
        sections="Section_id,School_id,Teacher_id,Name\n5,10,2,Math",
        enrollments="School_id,Section_id,Student_id\n10,5,1",
    )

    doubtful = judged_roster(normalized(folder, "clever"))
    read = judged_roster(normalized(folder, "clever", date_order="dmy"))

    assert [("demographics", "1", "date_order")] == errors(doubtful)
    assert ["2015-08-27"] == read.standing["demographics"].accepted["birthDate"].to_list()
