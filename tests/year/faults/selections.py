"""Exports of the wrong rows: too few, too many, of another place or of another time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from tests.year.district import District
from tests.year.faults.columns import PEOPLE
from tests.year.faults.fault import Damage, Night, Spoil
from tests.year.files import Row
from tests.year.sending import sent


def half_missing(night: Night) -> None:
    """The second half of the people's rows has not come."""
    file = PEOPLE[night.code]
    night.tables[file] = night.people[: len(night.people) // 2]


def half_of_enrollments_missing(night: Night) -> None:
    """The second half of the enrollments has not come."""
    night.tables["enrollments.csv"] = night.tables["enrollments.csv"][
        : len(night.tables["enrollments.csv"]) // 2
    ]


def staff_missing(night: Night) -> None:
    """Of the people only the students have come."""
    if night.form == "clever":
        night.tables["teachers.csv"], night.tables["staff.csv"] = (
            night.tables["teachers.csv"][:1],
            [],
        )
        return
    staff = {one.id for one in night.now.people.values() if one.grade is None}
    night.tables["users.csv"] = [
        row for row in night.tables["users.csv"] if row["sourcedId"] not in staff
    ]


def one_school_missing(night: Night) -> None:
    """Nothing of one school has come, not even the school."""
    _of_school(night, list(night.now.schools)[1])


def one_school_empty(night: Night) -> None:
    """A school has come, and nothing of what belongs to it."""
    _of_school(night, list(night.now.schools)[1], spare=("orgs.csv", "schools.csv"))


def _of_school(night: Night, school: str, spare: tuple[str, ...] = ()) -> None:
    for file, column in night.places("school"):
        if file not in spare:
            night.tables[file] = [row for row in night.tables[file] if row[column] != school]


def one_grade(night: Night) -> None:
    """Somebody has set a filter of the export to one grade."""
    grade = night.chance.choice([one.grade for one in night.now.students()])
    keep = {one.id for one in night.now.people.values() if one.grade in (grade, None)}
    _only(night, keep)


def few_rows(night: Night) -> None:
    """The export of a test tenant: a handful of people, with their classes."""
    _only(night, {*night.students()[:4], *(one.id for one in night.now.staff("teacher")[:2])})


def _only(night: Night, keep: set[str]) -> None:
    for file, column in night.places("person"):
        if file != "sections.csv":
            night.tables[file] = [row for row in night.tables[file] if row[column] in keep]
    if night.code == "oneroster":
        needed = {
            one for row in night.tables["users.csv"] for one in row["agentSourcedIds"].split(",")
        }
        parents = [row for row in night.true()["users.csv"] if row["sourcedId"] in needed]
        night.tables["users.csv"] += parents
        roles = [row for row in night.true()["roles.csv"] if row["userSourcedId"] in needed]
        night.tables["roles.csv"] += roles


def of_another_district(night: Night) -> None:
    """The export of another district, whose ids are made in the same way."""
    night.tables = night.true(night.other())


def of_another_district_with_ids_of_its_own(night: Night) -> None:
    """The export of another district, none of whose ids anybody here has."""
    night.tables = night.true(night.other())
    for meaning in ("person", "class", "school"):
        night.map(meaning, lambda one: f"8-{one}")
    if night.code == "oneroster":
        for file in ("roles.csv", "enrollments.csv", "demographics.csv"):
            for row in night.tables[file]:
                row["sourcedId"] = (
                    row["sourcedId"] if file == "demographics.csv" else f"8-{row['sourcedId']}"
                )


def _year_later(district: District, years: int) -> District:
    """The district with terms and classes of another year."""
    new = district.copy()

    def of(one: str) -> str:
        return f"{one[0]}{int(one[1:3]) + years}{one[3:]}"

    def day(one: date) -> date:
        return one.replace(year=one.year + years)

    new.terms = {
        of(one.id): replace(
            one, id=of(one.id), begins=day(one.begins), ends=day(one.ends), year=one.year + years
        )
        for one in district.terms.values()
    }
    new.groups = {
        of(one.id): replace(one, id=of(one.id), term=of(one.term))
        for one in district.groups.values()
    }
    new.seats = {(of(group), person): role for (group, person), role in district.seats.items()}
    return new


def of_last_year(night: Night) -> None:
    """Last year's export: its terms, its classes, and who was there."""
    old = _year_later(night.earlier, -1)
    for one in list(old.people.values()):
        if one.grade:
            old.people[one.id] = replace(one, grade=one.grade - 1)
    night.tables = night.true(old)


def of_a_month_ago(night: Night) -> None:
    """An export of a month ago has been sent again."""
    night.tables = night.true(night.earlier)


def of_next_year(night: Night) -> None:
    """The terms and classes of next year alone."""
    night.tables = night.true(_year_later(night.now, 1))


def enrollments_of_last_year(night: Night) -> None:
    """Enrollments in last year's classes, which are in no file."""
    night.tables["enrollments.csv"] = night.true(_year_later(night.earlier, -1))["enrollments.csv"]


def rows_doubled(night: Night) -> None:
    """Each row stands there twice."""
    night.tables = {
        name: [row for row in rows for _ in range(2)] for name, rows in night.tables.items()
    }


def old_changes(night: Night, texts: dict[str, str]) -> dict[str, str]:
    """What has changed in the last nights, as it was before, sent after those changes."""
    old = night.true(night.lately)
    return sent(night.form, old, night.before, night.before, night.lately.day).written()


def changes_again(night: Night, texts: dict[str, str]) -> dict[str, str]:
    """The changes of a month, all of which were sent before."""
    return sent(
        night.form, night.true(night.before), night.earlier, night.before, night.before.day
    ).written()


def without_file(*names: str) -> Damage:
    """A file is not there."""
    return lambda night, texts: {name: text for name, text in texts.items() if name not in names}


def cut(file: Callable[[Night], str], share: float) -> Damage:
    """A file ends early, in the middle of a row."""

    def damage(night: Night, texts: dict[str, str]) -> dict[str, str]:
        text = texts[file(night)]
        end = int(len(text) * share)
        # Somewhere inside of a row, and not just behind one.
        end = text.rindex("\n", 0, end) + 6
        return texts | {file(night): text[:end]}

    return damage


def header_alone(night: Night, texts: dict[str, str]) -> dict[str, str]:
    """The file of the people has a header and no rows."""
    file = PEOPLE[night.code]
    return texts | {file: texts[file].split("\n")[0] + "\n"}


def no_bytes(night: Night, texts: dict[str, str]) -> dict[str, str]:
    """The file of the people has no bytes."""
    return texts | {PEOPLE[night.code]: ""}


def people_file(night: Night) -> str:
    """The file of the people."""
    return PEOPLE[night.code]


def blanked(file: str, column: str, cell: str = "") -> Spoil:
    """A column of one file says nothing, or one thing."""

    def spoil(night: Night) -> None:
        rows: list[Row] = night.tables[file]
        for row in rows:
            row[column] = cell

    return spoil
