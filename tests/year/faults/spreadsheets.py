"""What somebody does to an export in a spreadsheet: columns sorted alone, shifted, blanked, renamed; ids turned into numbers."""

from __future__ import annotations

from collections.abc import Callable

from tests.year.faults.fault import Night, Spoil
from tests.year.files import Row

MOST = 0.7


def shifted(*meanings: str, share: float = MOST) -> Spoil:
    """Of most rows, or of another share, each has what belongs to the row below: cells moved up while a filter was on."""

    def spoil(night: Night) -> None:
        for meaning in meanings:
            for file, column in night.places(meaning):
                _shift(_first(night.tables[file], share), column)

    return spoil


def sorted_alone(meaning: str, share: float = MOST) -> Spoil:
    """The filled cells of one column were sorted, of most rows or of another share, and the other columns were not."""

    def spoil(night: Night) -> None:
        for file, column in night.places(meaning):
            rows = [row for row in _first(night.tables[file], share) if row[column]]
            for row, cell in zip(rows, sorted(row[column] for row in rows), strict=True):
                row[column] = cell

    return spoil


def _first(rows: list[Row], share: float) -> list[Row]:
    return rows[: int(len(rows) * share)]


def _shift(rows: list[Row], column: str) -> None:
    cells = [row[column] for row in rows]
    for row, cell in zip(rows, [*cells[1:], *cells[:1]], strict=True):
        row[column] = cell


def filled(meaning: str, cell: str) -> Spoil:
    """All cells of a column say one thing, or nothing."""

    def spoil(night: Night) -> None:
        night.map(meaning, lambda _: cell)

    return spoil


def mapped(meaning: str, change: Callable[[str], str]) -> Spoil:
    """All cells of a column are changed in the same way."""

    def spoil(night: Night) -> None:
        night.map(meaning, change)

    return spoil


def called(meaning: str, name: str | None) -> Spoil:
    """A column has another name, or is left out, in every file."""

    def spoil(night: Night) -> None:
        for place in night.places(meaning):
            night.called[place] = name

    return spoil


def swapped(one: str, other: str) -> Spoil:
    """Two columns have changed places under their names."""

    def spoil(night: Night) -> None:
        for (file, first), (_, second) in zip(night.places(one), night.places(other), strict=True):
            for row in night.tables[file]:
                row[first], row[second] = row[second], row[first]

    return spoil


def without_zeros(night: Night) -> None:
    """Ids lose their leading zeros, in every file."""
    night.map("person", lambda cell: cell.lstrip("0"))


def without_zeros_of_people(night: Night) -> None:
    """Ids lose their leading zeros in the file of people alone."""
    for row in night.people:
        row[night.person] = row[night.person].lstrip("0")


def in_powers_of_ten(night: Night) -> None:
    """Long ids are written as a spreadsheet shows them, in every file."""
    night.map("person", _power)


def in_powers_of_ten_of_people(night: Night) -> None:
    """Long ids are written as a spreadsheet shows them, in the file of people alone."""
    for row in night.people:
        row[night.person] = _power(row[night.person])


def _power(cell: str) -> str:
    return f"{int(cell):.2E}" if cell.isdigit() else cell


def day_before_month(night: Night) -> None:
    """Births are written with the day where the month should be."""
    for row in night.tables["demographics.csv"]:
        year, month, day = row["birthDate"].split("-")
        row["birthDate"] = f"{year}-{day}-{month}"


def grades_shifted(night: Night) -> None:
    """Each student has the grade of the row below."""
    students = set(night.students())
    _shift([row for row in night.people if row[night.person] in students], night.column("grade"))


def next_grade(night: Night) -> None:
    """The rollover of grades has run too early, and of nothing else."""
    words = {
        one: _grade(number) for number in range(12) for one in (_grade(number - 1), str(number - 1))
    }
    names = {"Kindergarten": "1", "KG": "01"} | (
        {str(n): str(n + 1) for n in range(1, 12)} if night.form == "clever" else words
    )
    night.map("grade", lambda cell: names.get(cell, cell))


def _grade(number: int) -> str:
    return f"{number:02}"
